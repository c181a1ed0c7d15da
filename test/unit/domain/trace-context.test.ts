import assert from 'node:assert/strict'
import { test } from 'node:test'
import { traceIdIn, traceparentIn } from '../../../src/domain/trace-context.ts'

const ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

test('a traceparent is handed on, and what is none is not', () => {
  for (const [given, handedOn] of [
    [`00-${ID}-${SPAN}-01`, `00-${ID}-${SPAN}-01`],
    [` 00-${ID}-${SPAN}-00 `, `00-${ID}-${SPAN}-00`],
    [`cc-${ID}-${SPAN}-01-what-comes`, `00-${ID}-${SPAN}-01`],
    [`00-${ID}-${SPAN}-01-more`, ''],
    [`cc-${ID}-${SPAN}-01.more`, ''],
    [`ff-${ID}-${SPAN}-01`, ''],
    [`00-${'0'.repeat(32)}-${SPAN}-01`, ''],
    [`00-${ID}-${'0'.repeat(16)}-01`, ''],
    [`00-${ID.toUpperCase()}-${SPAN}-01`, ''],
    [`00-${ID}-${SPAN}-01, 00-${ID}-${SPAN}-01`, ''],
    [`00-${ID}-${SPAN}-01"`, ''],
    ['', ''],
  ] as const)
    assert.equal(traceparentIn(given), handedOn, given)
  assert.deepEqual([traceIdIn(`00-${ID}-${SPAN}-01`), traceIdIn('')], [ID, ''])
})
