/** The client of `execgo/client`, against the real daemon. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import {
  ConflictError,
  ConnectionError,
  GoneError,
  InvalidError,
  NotFoundError,
  type TaskEvent,
  createClient,
  graph,
} from '../../src/client/index.ts'
import { fetch } from '../support/checked-fetch.ts'
import { type TestDaemon, SOON_MS, startDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'

describe('a client', { timeout: SOON_MS * 2 }, () => {
  let daemon: TestDaemon
  let client: ReturnType<typeof createClient>
  before(async () => {
    daemon = await startDaemon({ args: ['-shutdown-timeout', '0'] })
    client = createClient({ baseUrl: `${daemon.url}/`, fetch })
  })
  after(() => daemon?.stop())

  test('runs a graph, with the results of each tool', async () => {
    const steps = graph()
      .shell('greet', { command: 'echo', args: ['hello'] })
      .sleep('nap', { duration_ms: 5 }, { after: ['greet'] })
      .noop('end', { message: 'bye' }, { after: ['greet', 'nap'], retry: 1, priority: 9 })
    const { ok, tasks, graphId } = await client.run(steps)
    assert.equal(ok, true)
    assert.equal(tasks.greet.result?.stdout, 'hello\n')
    assert.equal(tasks.nap.result?.slept_ms, 5)
    assert.equal(tasks.end.result?.message, 'bye')
    assert.deepEqual(tasks.end.depends_on, ['greet', 'nap'])
    assert.equal((await client.graphs.get(graphId)).status, 'success')
  })

  test('a step of every kind is one that the daemon takes', async () => {
    const steps = graph()
      .file('f', { action: 'stat', path: '/' })
      .http('h', { url: `${daemon.url}/health` })
      .dns('d', { name: 'localhost' })
      .tcp('t', { address: new URL(daemon.url).host })
      .cliSkills('c', { command: 'pwd' })
      .mcp('m', 'tool', { a: 1 })
    const { ok, tasks } = await client.run(steps)
    assert.ok(ok, JSON.stringify(tasks))
    assert.equal(tasks.h.result?.status_code, 200)
  })

  test('runs more tasks than the daemon waits for at once', async () => {
    const tasks = Array.from({ length: 10_001 }, (_, at) => ({ id: `many-${at}`, type: 'noop' }))
    const ran = await client.run({ tasks })
    assert.deepEqual([ran.ok, Object.keys(ran.tasks).length], [true, tasks.length])
    // These are in two graphs.
    const more = [...tasks, { id: 'many-more', type: 'noop' }]
    const again = await client.run({ tasks: more, on_conflict: 'ignore' })
    assert.deepEqual([again.ok, Object.keys(again.tasks).length], [true, more.length])
  })

  test('a failure is told as it is, not thrown', async () => {
    const { ok, tasks } = await client.run(
      graph()
        .shell('bad', { command: 'nope' })
        .noop('skipped', {}, { after: ['bad'] }),
    )
    assert.equal(ok, false)
    assert.match(tasks.bad.error ?? '', /whitelist/)
    assert.equal(tasks.skipped.status, 'skipped')
    assert.equal((await client.why('skipped')).reason, 'skipped')
  })

  test('refusals are errors by class, with the words and the trace of the daemon', async () => {
    await assert.rejects(client.get('nobody'), (error: NotFoundError) => {
      assert.ok(error instanceof NotFoundError)
      assert.deepEqual([error.message, error.status], ['task not found: nobody', 404])
      assert.match(error.traceId, /^[0-9a-f]{16,}$/)
      return true
    })
    await assert.rejects(client.submit({ tasks: [] }), InvalidError)
    await client.run(graph().noop('over', {}))
    await assert.rejects(client.cancel('over'), ConflictError)
    assert.deepEqual([await client.has('over'), await client.has('nobody')], [true, false])
  })

  test('ids of any characters, deletes, and lists in pages', async () => {
    const ids = ['a/b?c#d', '中 文', '100%']
    await client.submit({ tasks: ids.map((id) => ({ id: `list-${id}`, type: 'noop' })) })
    await client.wait(ids.map((id) => `list-${id}`))
    const found: string[] = []
    for await (const { id } of client.list({ prefix: 'list-', status: 'success' })) found.push(id)
    assert.deepEqual(
      found,
      ids.map((id) => `list-${id}`),
    )
    for (const id of found) await client.delete(id)
    for await (const { id } of client.list({ prefix: 'list-' })) assert.fail(id)
  })

  test('leaves nothing on the signal of a program that has one for all', async () => {
    const { signal } = new AbortController()
    await client.run({ tasks: [{ id: 'signalled', type: 'noop' }] }, { signal })
    await client.get('signalled', { signal })
    assert.equal(await client.has('nobody', { signal }), false)
    for await (const _ of client.list({ signal })) break
    await client.lastEvent({ signal })
    for await (const _ of client.events({ after: 0, signal })) break
    assert.deepEqual(getEventListeners(signal, 'abort'), [])
  })

  test('waits with a limit, cancels, and ends with its signal', async () => {
    await client.submit(graph().sleep('long', { duration_ms: 600_000 }))
    assert.equal((await client.wait(['long'], { timeoutMs: 50 })).done, false)
    const abort = new AbortController()
    const waiting = client.wait(['long'], { signal: abort.signal })
    abort.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    await client.cancel('long', { graceMs: 0 })
    assert.equal((await client.wait(['long'])).tasks[0]!.run_status, 'cancelled')
  })

  test('graphs are listed, cancelled, retried and removed', async () => {
    const { graph_id: id = '' } = await client.submit(graph().sleep('g', { duration_ms: 600_000 }))
    const ids: string[] = []
    for await (const { graph_id } of client.graphs.list()) ids.push(graph_id)
    assert.equal(ids[0], id)
    await client.graphs.cancel(id)
    await client.wait({ graphId: id })
    await client.graphs.retry(id)
    await client.graphs.cancel(id)
    await client.wait({ graphId: id })
    await client.graphs.delete(id)
    await assert.rejects(client.graphs.get(id), NotFoundError)
  })

  test('a submission that comes twice is done once', async () => {
    const spec = graph().noop('once', {}).spec
    const first = await client.submit(spec, { idempotencyKey: 'k' })
    assert.deepEqual(await client.submit(spec, { idempotencyKey: 'k' }), first)
  })

  test('events that are gone are an error', async () => {
    await assert.rejects(async () => {
      for await (const event of client.events({ after: 1e9 })) assert.fail(JSON.stringify(event))
    }, GoneError)
  })
})

test('a daemon that is away is asked again, then an error says so', async () => {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address() as { port: number }
      server.close(() => resolve(free))
    })
  })
  const client = createClient({ baseUrl: `http://127.0.0.1:${port}`, retries: 1 })
  await assert.rejects(client.health(), (error: ConnectionError) => {
    assert.ok(error instanceof ConnectionError)
    assert.match(error.message, /ECONNREFUSED|connect/)
    return true
  })
})

test('a daemon that is shutting down is not asked over and over', async () => {
  const daemon = await startDaemon({ args: ['-shutdown-timeout', '2'] })
  let asked = 0
  const client = createClient({
    baseUrl: daemon.url,
    retries: 0,
    fetch: (input, init) => {
      asked++
      return fetch(input, init)
    },
  })
  await client.submit(graph().sleep('long', { duration_ms: 600_000 }))
  const waiting = assert.rejects(client.wait(['long']), ConnectionError)
  await daemon.until('long', ({ status }) => status === 'running')
  await daemon.stop()
  await waiting
  assert.ok(asked < 20, `asked ${asked} times`)
})

test('an answer that breaks off is an error of the connection', async () => {
  const client = createClient({
    fetch: async () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('{"done":true,"tasks":[{"id":"a"'))
          },
          pull: (controller) => controller.error(new TypeError('terminated')),
        }),
      ),
  })
  const isBroken = (error: ConnectionError): boolean =>
    error instanceof ConnectionError && /broke off: terminated/.test(error.message)
  await assert.rejects(client.wait(['a']), isBroken)
  await assert.rejects(client.list().next(), isBroken)
})

test('an answer that is lost is asked for again, and the graph is accepted once', async (t) => {
  const daemon = await startDaemon()
  t.after(() => daemon.stop())
  let lost = 0
  const client = createClient({
    baseUrl: daemon.url,
    fetch: async (input, init) => {
      const response = await fetch(input, init)
      if (lost > 0) return response
      lost++
      await response.arrayBuffer()
      throw new TypeError('the connection broke')
    },
  })
  const { graph_id } = await client.submit(graph().noop('a', {}))
  assert.equal(graph_id, 'g-1')
  assert.equal(lost, 1)
})

test('events come once each and in order over a restart of the daemon', {
  timeout: SOON_MS * 2,
}, async (t) => {
  const dataDir = await tempDir(t)
  let daemon = await startDaemon({ dataDir })
  t.after(() => daemon.stop())
  const { port } = new URL(daemon.url)
  const client = createClient({ baseUrl: daemon.url, fetch })
  const seen: TaskEvent[] = []
  const abort = new AbortController()
  const watching = (async () => {
    for await (const event of client.events({ after: 0, signal: abort.signal })) {
      seen.push(event)
      if (seen.length === 6) abort.abort()
    }
  })()
  await client.run(graph().noop('one', {}))
  await daemon.stop()
  daemon = await startDaemon({ dataDir, args: ['-addr', `127.0.0.1:${port}`] })
  await client.run(graph().noop('two', {}))
  await watching
  assert.deepEqual(
    seen.map(({ id, type, task_id }) => `${id} ${type} ${task_id}`),
    [
      '1 task_submitted one',
      '2 task_started one',
      '3 task_succeeded one',
      '4 task_submitted two',
      '5 task_started two',
      '6 task_succeeded two',
    ],
  )
})
