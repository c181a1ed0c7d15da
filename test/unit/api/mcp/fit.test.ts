import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { characterAt, cutText, fit } from '../../../../src/api/mcp/fit.ts'
import type { Json } from '../../../../src/domain/json.ts'

test('what fits is left as it is', () => {
  const value = { a: [1, null, true, 'text'], b: { c: '' } }
  assert.deepEqual(fit(value, 1000), { value, isCut: false })
})

test('a long text keeps its beginning and its end', () => {
  const { value, isCut } = fit({ stdout: `first${'x'.repeat(100_000)}last` }, 1000)
  assert.equal(isCut, true)
  assert.match((value as { stdout: string }).stdout, /^firstx+…\[\d+ characters left out\]…x+last$/)
  assert.equal(cutText('abcdefgh', 4), 'ab…[4 characters left out]…gh')
})

test('no character is cut in two', () => {
  assert.equal(characterAt('a😀b', 2), 3)
  const cut = cutText('😀'.repeat(50), 13)
  assert.doesNotMatch(cut, /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/)
})

test('anything fits, more or less', () => {
  const bound = 2000
  const length = (value: Json): number => JSON.stringify(fit({ value }, bound).value).length
  void fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 1, max: 400 }), (value, times) => {
      assert.ok(length(Array.from({ length: times }, () => value) as Json) <= 3 * bound)
    }),
  )
  let deep: Json = 'x'
  for (let level = 0; level < 1000; level++) deep = [deep]
  assert.equal(fit(deep, bound).isCut, true)
  const wide = (levels: number): Json =>
    levels === 0
      ? 'x'.repeat(200)
      : Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`key${n}`, wide(levels - 1)]))
  assert.ok(length(wide(3)) <= 3 * bound)
})
