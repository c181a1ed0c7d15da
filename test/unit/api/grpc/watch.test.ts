import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ClientReadableStream, status } from '@grpc/grpc-js'
import { root } from '../../../support/daemon.ts'
import { eventually } from '../../../support/eventually.ts'
import { type Client, type Message, call, connect, serviceIn } from '../../../support/grpc-transcript.ts'
import { type Edge, startEdge } from '../../../support/service-rig.ts'

// From the .proto file itself, as a client of today has it.
const Today = serviceIn(join(root, 'proto/execgo/v1/execgo.proto'), 'execgo.v1.ExecGo')

const open = async (t: TestContext): Promise<{ edge: Edge; client: Client }> => {
  const edge = await startEdge(t)
  const client = connect(Today, edge.grpcAddress)
  t.after(() => client.close())
  return { edge, client }
}

const noop = (id: string, delay_ms = 0) => ({ id, type: 'noop', delay_ms })

const watchAll = (client: Client, request: object = {}) => {
  const stream = (client as Message).WatchTasks(request) as ClientReadableStream<Message>
  const events: Message[] = []
  const ended = new Promise<{ code: number; details: string }>((resolve) => stream.on('error', resolve))
  stream.on('data', (event: Message) => events.push(event))
  return { stream, events, ended }
}

test('WaitTasks answers when the tasks are over, or after the timeout', async (t) => {
  const { client } = await open(t)
  const wait = async (request: object) => (await call(client, 'WaitTasks', request)).message
  const { message } = await call(client, 'SubmitTasks', { tasks: [noop('a'), noop('b', 3_600_000)] })
  const any = await wait({ task_ids: ['a', 'b'], mode: 'any' })
  assert.deepEqual([any.done, any.tasks.map(({ status }: Message) => status)], [true, ['success', 'pending']])
  const all = await wait({ graph_id: message.graph_id, timeout_ms: 20 })
  assert.deepEqual([all.done, all.tasks.length], [false, 2])
  await assert.rejects(wait({ task_ids: ['c'], timeout_ms: 20 }), { code: status.NOT_FOUND })
  await assert.rejects(wait({}), { code: status.INVALID_ARGUMENT })
  await assert.rejects(wait({ task_ids: ['a'], mode: 'most' }), { code: status.INVALID_ARGUMENT })
  await assert.rejects(wait({ task_ids: ['a'], timeout_ms: 300_001 }), {
    code: status.INVALID_ARGUMENT,
    details: 'timeout_ms must be from 0s to 5m',
  })
})

test('what is not over says when to ask again in a trailer', async (t) => {
  const { client } = await open(t)
  const hint = async (method: string, request: object) =>
    (await call(client, method, request)).trailer.get('retry-after')
  const { message } = await call(client, 'SubmitTasks', { tasks: [noop('a', 3_600_000)] })
  const graph = { graph_id: message.graph_id }
  for (const [method, request] of [
    ['GetTask', { id: 'a' }],
    ['GetGraph', graph],
    ['WaitTasks', { ...graph, timeout_ms: 10 }],
    ['WaitTasks', { task_ids: ['a'], timeout_ms: 10, mode: 'any' }],
  ] as const)
    assert.deepEqual(await hint(method, request), ['1'], method)
  await call(client, 'CancelTask', { id: 'a' })
  await call(client, 'WaitTasks', graph)
  for (const [method, request] of [
    ['GetTask', { id: 'a' }],
    ['GetGraph', graph],
    ['WaitTasks', graph],
  ] as const)
    assert.deepEqual(await hint(method, request), [], method)
})

test('WatchTasks tells what happens, from a place on, by filters', async (t) => {
  const { client } = await open(t)
  const { message } = await call(client, 'SubmitTasks', { tasks: [noop('a'), noop('b')] })
  const all = watchAll(client, { last_event_id: 0 })
  await eventually('all events', () => all.events.length === 6)
  assert.deepEqual(
    all.events.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6],
  )
  const [first] = all.events
  assert.deepEqual(
    [first.type, first.task_id, first.graph_id, first.attempt],
    ['task_submitted', 'a', message.graph_id, 0],
  )
  const later = watchAll(client, { task_id: 'b', last_event_id: 2, types: ['task_succeeded'] })
  await eventually('one event', () => later.events.length === 1)
  assert.deepEqual([later.events[0].task_id, later.events[0].attempt], ['b', 1])
  all.stream.cancel()
  later.stream.cancel()
})

test('a watch that cannot be is refused; one that goes away leaves nothing behind', async (t) => {
  const { client, edge } = await open(t)
  assert.equal((await watchAll(client, { last_event_id: 99 }).ended).code, status.OUT_OF_RANGE)
  assert.equal((await watchAll(client, { types: ['x'] }).ended).code, status.INVALID_ARGUMENT)
  const { watchers } = edge.service
  const watches = Array.from({ length: 50 }, () => watchAll(client))
  await eventually('they watch', () => watchers.events.readers === 50)
  for (const { stream } of watches.slice(1)) stream.cancel()
  await eventually('they are gone', () => watchers.events.readers === 1)
  await call(client, 'SubmitTasks', { tasks: [noop('a', 3_600_000)] })
  const waits = Array.from({ length: 20 }, () => (client as Message).WaitTasks({ task_ids: ['a'] }, () => {}))
  await eventually('they wait', () => watchers.waiting.waiters === 20)
  for (const wait of waits) wait.cancel()
  await eventually('they are gone', () => watchers.waiting.waiters === 0)
  watchers.stop()
  assert.equal((await watches[0]!.ended).code, status.UNAVAILABLE)
})
