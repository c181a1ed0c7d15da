import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noop } from '../../../../workers/tools/noop.ts'
import { attemptOf, messageOf, runTool } from '../support.ts'

test('says what it was told', async () => {
  assert.deepEqual(await runTool(noop, { message: 'x' }), { ok: true, output: { message: 'x', ok: true } })
  assert.deepEqual(await runTool(noop, {}), { ok: true, output: { message: '', ok: true } })
})

test('runs without any input, and in the turn in which it is begun', () => {
  const result = noop.run({}, attemptOf({ inputJson: '' }))
  assert.deepEqual(result, { ok: true, output: { message: '', ok: true } })
})

test('refuses a message that is no text', async () => {
  assert.equal(
    messageOf(await runTool(noop, { message: 1 })),
    'parse noop params: json: cannot unmarshal number into Go struct field NoopParams.message of type string',
  )
})
