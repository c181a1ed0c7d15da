/** How long each part of a task took. @see contract B6 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDaemon } from '../support/daemon.ts'

const TASKS = [
  { id: 'sleeps', type: 'sleep', params: { duration_ms: 30 } },
  { id: 'waits', type: 'sleep', params: { duration_ms: 1 } },
  { id: 'fails', type: 'tcp', params: { address: '127.0.0.1:1' }, retry: 1 },
  { id: 'stopped', type: 'shell', params: { script: 'sleep 60' }, timeout: 50 },
  { id: 'instant', type: 'noop' },
]

test('with EXECGO_TIMINGS=on what ran says how long each part of it took', async (t) => {
  const daemon = await startDaemon({ args: ['-max-concurrency', '1'], env: { EXECGO_TIMINGS: 'on' } })
  t.after(() => daemon.stop())
  await daemon.submit(TASKS)
  for (const { id } of TASKS) {
    const { details } = (await daemon.settled(id)).runtime
    assert.deepEqual(Object.keys(details.timings), ['queued_ms', 'started_ms', 'ran_ms', 'committed_ms'], id)
    for (const ms of Object.values<number>(details.timings)) {
      assert.ok(ms >= 0 && ms < 60_000, id)
      assert.ok(Math.abs(ms * 1000 - Math.round(ms * 1000)) < 1e-6, 'to the microsecond')
    }
  }
  const { timings } = (await daemon.get('sleeps')).runtime.details
  assert.ok(timings.ran_ms >= 29)
  assert.ok((await daemon.get('waits')).runtime.details.timings.queued_ms >= 29)
  const { details } = (await daemon.get('stopped')).runtime
  assert.equal(details.terminated_by, 'timeout')
  assert.ok(details.timings.ran_ms >= 45)
})

test('without it nothing is added', async (t) => {
  const daemon = await startDaemon()
  t.after(() => daemon.stop())
  await daemon.submit(TASKS)
  assert.equal((await daemon.settled('sleeps')).runtime.details, null)
  assert.equal((await daemon.settled('stopped')).runtime.details.timings, undefined)
})
