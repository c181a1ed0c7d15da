import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mayRetry, retryDelayMs } from '../../../src/domain/retry.ts'

describe('retryDelayMs', () => {
  it('doubles from 100 ms up to 10 s, and stays there', () =>
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000, 1e9].map(retryDelayMs),
      [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000, 10_000],
    ))
})

describe('mayRetry', () => {
  const TABLE: readonly (readonly [retry: number, failures: number, isFinal: boolean, may: boolean])[] = [
    [0, 1, false, false],
    [1, 1, false, true],
    [1, 2, false, false],
    [3, 3, false, true],
    [3, 4, false, false],
    [3, 1, true, false],
    [0, 1, true, false],
  ]
  for (const [retry, failures, isFinal, may] of TABLE) {
    it(`retry ${retry}, failure ${failures}${isFinal ? ', final' : ''}: ${may ? 'again' : 'over'}`, () =>
      assert.equal(mayRetry(retry, failures, isFinal), may))
  }
})
