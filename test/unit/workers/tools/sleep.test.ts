import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../../../workers/tools/sleep.ts'
import { attemptOf, messageOf, runTool } from '../support.ts'

test('waits, and says for how long', async () => {
  const startedMs = performance.now()
  assert.deepEqual(await runTool(sleep, { duration_ms: 30 }), { ok: true, output: { slept_ms: 30 } })
  assert.ok(performance.now() - startedMs >= 28)
  assert.deepEqual(await runTool(sleep, {}), { ok: true, output: { slept_ms: 0 } })
})

test('refuses what it cannot wait for', async () => {
  assert.deepEqual(await runTool(sleep, { duration_ms: -1 }), {
    ok: false,
    message: 'duration_ms must be non-negative',
    isFinal: true,
  })
  assert.equal(
    messageOf(await runTool(sleep, { duration_ms: 600_001 })),
    'duration_ms exceeds max of 600000 ms',
  )
  assert.equal(
    messageOf(await runTool(sleep, { duration_ms: '5' })),
    'parse sleep params: json: cannot unmarshal string into Go struct field SleepParams.duration_ms of type int64',
  )
  assert.equal(
    messageOf(await runTool(sleep, {}, attemptOf({ inputJson: '' }))),
    'parse sleep params: unexpected end of JSON input',
  )
})

test('an abort ends it', async () => {
  const attempt = attemptOf()
  const sleeping = runTool(sleep, { duration_ms: 600_000 }, attempt)
  attempt.abort(5000, 'context deadline exceeded')
  await sleeping
})

test('a thousand at once', async () => {
  const all = await Promise.all(Array.from({ length: 1000 }, () => runTool(sleep, { duration_ms: 20 })))
  assert.ok(all.every((result) => result.ok))
})
