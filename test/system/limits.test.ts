/** Bounds on what is accepted: at the bound, and one past it. @see contract B4 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDaemon } from '../support/daemon.ts'

const noop = (id: string, more: object = {}): object => ({ id, type: 'noop', ...more })

test('as many tasks as may be unfinished are accepted, and no more until some are over', async (t) => {
  const daemon = await startDaemon({ env: { EXECGO_MAX_UNFINISHED_TASKS: '3' } })
  t.after(() => daemon.stop())
  const sleeper = (id: string): object => ({ id, type: 'sleep', params: { duration_ms: 600_000 } })
  await daemon.submit([sleeper('a'), noop('b', { depends_on: ['a'] }), noop('c', { depends_on: ['a'] })])
  const answer = await fetch(`${daemon.url}/tasks`, {
    method: 'POST',
    body: JSON.stringify({ tasks: [noop('d')] }),
  })
  assert.equal(answer.status, 429)
  assert.equal(answer.headers.get('retry-after'), '1')
  assert.deepEqual(await answer.json(), {
    error: '3 tasks are not over, and 1 more would be over the limit of 3: try again when some have ended',
  })
  assert.equal((await daemon.request('GET', '/tasks/d')).status, 404)
  assert.equal((await daemon.request('GET', '/tasks')).body.length, 3, 'reads go on')
  assert.equal((await daemon.request('POST', '/tasks/a/cancel')).status, 202)
  for (const id of ['a', 'b', 'c']) await daemon.settled(id)
  await daemon.submit([noop('d'), noop('e'), noop('f')])
  for (const id of ['d', 'e', 'f']) assert.equal((await daemon.settled(id)).status, 'success')
})

test('a graph, an id and a list of dependencies may be as large as they may be, and no larger', async (t) => {
  const daemon = await startDaemon({
    env: { EXECGO_MAX_TASKS_PER_GRAPH: '3', EXECGO_MAX_ID_BYTES: '4', EXECGO_MAX_DEPENDENCIES: '2' },
  })
  t.after(() => daemon.stop())
  const refused = async (tasks: object[], message: string): Promise<void> => {
    const { status, body } = await daemon.request('POST', '/tasks', { tasks })
    assert.deepEqual([status, body], [400, { error: message }])
  }
  await daemon.submit([noop('a中'), noop('b'), noop('c', { depends_on: ['a中', 'b'] })])
  await refused(
    ['a', 'b', 'c', 'd'].map((id) => noop(id)),
    'task graph has 4 tasks: at most 3 are allowed',
  )
  await refused([noop('aa中')], 'task "aa中…": id is 5 bytes: at most 4 are allowed')
  await refused(
    [noop('a'), noop('b'), noop('c', { depends_on: ['a', 'b', 'a'] })],
    'task "c": depends_on names 3 tasks: at most 2 are allowed',
  )
})
