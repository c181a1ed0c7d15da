import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDaemon } from '../support/daemon.ts'

test('10,000 tasks in one graph, in layers, all end', async () => {
  const daemon = await startDaemon()
  const width = 100
  const tasks = Array.from({ length: 10_000 }, (_, at) => ({
    id: `t${at}`,
    type: 'noop',
    depends_on: at < width ? [] : [`t${at - width}`, `t${at - width + (at % width === 0 ? 1 : -1)}`],
  }))
  const { status, body } = await daemon.request('POST', '/tasks', { tasks })
  assert.equal(status, 202)
  assert.equal(body.accepted, 10_000)
  assert.deepEqual(
    body.task_ids,
    tasks.map(({ id }) => id),
  )
  const all = await daemon.allSettled()
  assert.equal(all.length, 10_000)
  assert.ok(all.every((task) => task.status === 'success'))
  const finished = new Map(all.map((task) => [task.id, task]))
  for (const task of all) {
    for (const id of task.depends_on ?? []) {
      assert.ok(
        Date.parse(finished.get(id).runtime.finished_at) <= Date.parse(task.runtime.started_at),
        `${task.id} after ${id}`,
      )
    }
  }
  const metrics = (await daemon.request('GET', '/metrics')).body
  assert.deepEqual(metrics, {
    tasks_total: 10_000,
    tasks_running: 0,
    tasks_succeeded: 10_000,
    tasks_failed: 0,
    by_type: { os: 10_000 },
  })
  await daemon.stop()
})

test('a thousand sleeps run at once where there are a thousand slots', async () => {
  const daemon = await startDaemon({ args: ['-max-concurrency', '1000'] })
  await daemon.submit(
    Array.from({ length: 1000 }, (_, at) => ({ id: `s${at}`, type: 'sleep', params: { duration_ms: 1000 } })),
  )
  const all = await daemon.allSettled()
  const first = Math.min(...all.map((task) => Date.parse(task.runtime.finished_at)))
  const last = Math.max(...all.map((task) => Date.parse(task.runtime.started_at)))
  assert.ok(last <= first, 'the last one began before the first one ended')
  await daemon.stop()
})

test('never more than max-concurrency attempts at once', async () => {
  const daemon = await startDaemon({ args: ['-max-concurrency', '3'] })
  await daemon.submit(
    Array.from({ length: 30 }, (_, at) => ({ id: `s${at}`, type: 'sleep', params: { duration_ms: 30 } })),
  )
  const all = await daemon.allSettled()
  const marks = all
    .flatMap((task) => [
      { at: Date.parse(task.runtime.started_at), change: 1 },
      { at: Date.parse(task.runtime.finished_at), change: -1 },
    ])
    // Times are in whole milliseconds: one that ends and one that begins in the same one did so in that order.
    .sort((a, b) => a.at - b.at || a.change - b.change)
  let running = 0
  for (const { change } of marks) {
    running += change
    assert.ok(running <= 3)
  }
  await daemon.stop()
})
