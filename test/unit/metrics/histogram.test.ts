import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOUNDS_S, Histogram } from '../../../src/metrics/histogram.ts'

test('a time falls into the first bucket that it does not exceed', () => {
  const histogram = new Histogram()
  for (const ms of [0, -5, 0.1, 0.11, 1000, 3_600_000, 3_600_001]) histogram.add(ms)
  const counts = Object.fromEntries(BOUNDS_S.map((bound, at) => [bound, histogram.buckets[at]]))
  assert.deepEqual([counts[0.0001], counts[0.0005], counts[1], counts[3600]], [3, 1, 1, 1])
  assert.deepEqual([histogram.buckets.at(-1), histogram.count], [1, 7])
  assert.ok(Math.abs(histogram.sumS - (0.00021 + 1 + 7200.001)) < 1e-9)
})
