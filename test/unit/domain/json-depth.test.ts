import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isDeeperThan } from '../../../src/domain/json-depth.ts'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

test('as deep as arrays and objects lie in one another', () => {
  assert.equal(isDeeperThan(JSON.parse('[[[]]]'), 3), false)
  assert.equal(isDeeperThan(JSON.parse('[[[]]]'), 2), true)
  assert.equal(isDeeperThan(JSON.parse('[[],[[]],{"a":{}}]'), 3), false)
  assert.equal(isDeeperThan(JSON.parse('[[],[[]],{"a":[{}]}]'), 3), true)
  assert.equal(isDeeperThan(JSON.parse('["[[[[[[[[", "\\"[[[", "\\\\", "\\\\\\"[[["]'), 1), false)
  assert.equal(isDeeperThan(JSON.parse('["\\\\", [1]]'), 1), true)
  assert.equal(isDeeperThan(JSON.parse('"[[[[[["'), 1), false)
  assert.equal(isDeeperThan(JSON.parse('{"__proto__":{"constructor":[1]}}'), 3), false)
  assert.equal(isDeeperThan(JSON.parse('{"__proto__":{"constructor":[1]}}'), 2), true)
  assert.equal(isDeeperThan(JSON.parse(`${'['.repeat(1e6)}${']'.repeat(1e6)}`), 64), true)
})

test('of any JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 8 }), (value) => {
      const depth = depthOf(value)
      const json = JSON.stringify(value)
      assert.equal(isDeeperThan(JSON.parse(json), depth), false)
      if (depth > 0) assert.equal(isDeeperThan(JSON.parse(json), depth - 1), true)
    }),
  )
})
