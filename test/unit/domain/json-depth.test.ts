import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isDeeperThan } from '../../../src/domain/json-depth.ts'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

test('as deep as arrays and objects lie in one another', () => {
  assert.equal(isDeeperThan('[[[]]]', 3), false)
  assert.equal(isDeeperThan('[[[]]]', 2), true)
  assert.equal(isDeeperThan('[[],[[]],{"a":{}}]', 3), false)
  assert.equal(isDeeperThan('[[],[[]],{"a":[{}]}]', 3), true)
  assert.equal(isDeeperThan('["[[[[[[[[", "\\"[[[", "\\\\", "\\\\\\"[[["]', 1), false)
  assert.equal(isDeeperThan('["\\\\", [1]]', 1), true)
  assert.equal(isDeeperThan('"[[[[[["', 1), false)
})

test('of any JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 8 }), (value) => {
      const depth = depthOf(value)
      const json = JSON.stringify(value)
      assert.equal(isDeeperThan(json, depth), false)
      if (depth > 0) assert.equal(isDeeperThan(json, depth - 1), true)
    }),
  )
})
