/** GET /tasks/{id}/why: what a task waits for, and why it ended as it did. @see contract B6 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDaemon } from '../support/daemon.ts'

const sleeper = (id: string, more: object = {}): object => ({
  id,
  type: 'sleep',
  params: { duration_ms: 600_000 },
  ...more,
})

test('every unfinished task says what it waits for', async (t) => {
  const daemon = await startDaemon({ args: ['-max-concurrency', '1', '-shutdown-timeout', '0'] })
  t.after(() => daemon.stop())
  const why = async (id: string): Promise<any> =>
    (await daemon.request('GET', `/tasks/${encodeURIComponent(id)}/why`)).body
  await daemon.submit([
    { id: 'fails', type: 'tcp', params: { address: '127.0.0.1:1' }, retry: 8, priority: 9 },
    { id: 'a/b', type: 'noop', run_at: '2999-01-01T00:00:00Z' },
  ])
  const retry = await (async () => {
    for (;;) {
      const answer = await why('fails')
      if (answer.reason === 'retry_time' && answer.failures > 2) return answer
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  assert.equal(retry.status, 'running')
  assert.ok(retry.in_ms >= 0 && retry.retries_left === 9 - retry.failures)
  assert.ok(Date.parse(retry.retry_at) > Date.parse('2026-01-01'))
  await daemon.request('POST', '/tasks/fails/cancel')
  assert.equal((await daemon.settled('fails')).status, 'failed')
  assert.equal((await why('fails')).reason, 'cancelled')

  const waits = await why('a/b')
  assert.deepEqual(
    [waits.reason, waits.run_at, waits.status],
    ['start_time', '2999-01-01T00:00:00.000Z', 'pending'],
  )

  await daemon.submit([
    sleeper('runs', { priority: 9 }),
    sleeper('low', { priority: 1 }),
    sleeper('first'),
    sleeper('second'),
    sleeper('high', { priority: 8 }),
    { id: 'dependent', type: 'noop', depends_on: ['first', 'runs', 'first'] },
  ])
  await daemon.until('runs', (task) => task.status === 'running')
  const runs = await why('runs')
  assert.deepEqual([runs.reason, runs.attempt, runs.status], ['running', 1, 'running'])
  for (const [id, place, priority] of [
    ['high', 1, 8],
    ['first', 2, 5],
    ['second', 3, 5],
    ['low', 4, 1],
  ] as const) {
    const slot = await why(id)
    assert.deepEqual(
      [slot.reason, slot.place, slot.priority, slot.ready, slot.slots, slot.slots_in_use],
      ['slot', place, priority, 4, 1, 1],
    )
  }
  const dependent = await why('dependent')
  assert.equal(dependent.reason, 'dependencies')
  assert.deepEqual(dependent.dependencies, [
    { id: 'first', status: 'pending' },
    { id: 'runs', status: 'running' },
  ])
  await daemon.request('POST', '/tasks/first/cancel')
  assert.equal((await why('second')).place, 2)
})

test('one that is over says why it ended so; a skipped one names the root', async (t) => {
  const daemon = await startDaemon()
  t.after(() => daemon.stop())
  const why = async (id: string): Promise<any> => (await daemon.request('GET', `/tasks/${id}/why`)).body
  await daemon.submit([
    { id: 'root', type: 'shell', params: { command: 'nope' } },
    { id: 's1', type: 'noop', depends_on: ['root'] },
    { id: 's2', type: 'noop', depends_on: ['s1'] },
    { id: 's3', type: 'noop', depends_on: ['s2'] },
    { id: 'good', type: 'noop' },
    { id: 'unneeded', type: 'noop', depends_on: ['good'], run_if: 'failure' },
    { id: 'after', type: 'noop', depends_on: ['unneeded'] },
  ])
  await daemon.allSettled()
  const skipped = await why('s3')
  const error = 'command "nope" is not in the allowed whitelist'
  assert.deepEqual(
    [skipped.reason, skipped.dependency, skipped.root],
    ['skipped', 's2', { id: 'root', status: 'failed', error }],
  )
  assert.equal(skipped.message, `it was skipped because of root, which failed: ${error}`)
  assert.equal((await why('root')).reason, 'failed')
  assert.equal((await why('root')).message, error)
  assert.equal((await why('good')).reason, 'success')
  assert.equal((await why('unneeded')).reason, 'not_needed')
  assert.deepEqual((await why('after')).root, { id: 'unneeded', status: 'skipped' })
  const { status, body } = await daemon.request('GET', '/tasks/nobody/why')
  assert.deepEqual([status, body], [404, { error: 'task not found: nobody' }])
})
