/** Waiting without polling, over the real daemon. @see contract B3 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request as ask } from 'node:http'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fetch } from '../support/checked-fetch.ts'
import { descriptorsOf } from '../support/children.ts'
import { type TestDaemon, SOON_MS, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { type SeenEvent, watch } from '../support/event-reader.ts'
import { expectBegun, expectRaw } from '../support/raw-answers.ts'
import { tempDir } from '../support/temp-dir.ts'

const sleep = (id: string, ms: number, more: object = {}) => ({
  id,
  type: 'sleep',
  params: { duration_ms: ms },
  ...more,
})

describe('?wait=', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startDaemon({ args: ['-max-concurrency', '100'] })
  })
  after(() => daemon?.stop())

  test('a task is answered when it is over, or at the end of the time', async () => {
    await daemon.submit([sleep('short', 300), sleep('long', 60_000)])
    const over = await daemon.request('GET', '/tasks/short?wait=1m')
    assert.deepEqual([over.status, over.body.status, over.headers.get('retry-after')], [200, 'success', null])
    const late = await daemon.request('GET', '/tasks/long?wait=200ms')
    assert.deepEqual([late.status, late.body.status, late.headers.get('retry-after')], [200, 'running', '1'])
    assert.equal((await daemon.request('GET', '/tasks/nobody?wait=30s')).status, 404)
    const cancelled = daemon.request('GET', '/tasks/long?wait=5m')
    await daemon.request('POST', '/tasks/long/cancel')
    assert.equal((await cancelled).body.run_status, 'cancelled')
  })

  test('a wait that is no duration, or too long, is refused', async () => {
    for (const wait of ['', 'x', '30', '-1s', '1h', '5m1s'])
      assert.equal((await daemon.request('GET', `/tasks/short?wait=${wait}`)).status, 400, wait)
    for (const path of ['/tasks/short?wait=6m', '/graphs/g-1?wait=300001ms']) {
      const { status, body } = await daemon.request('GET', path)
      assert.deepEqual([status, body.error], [400, 'wait must be from 0s to 5m'])
    }
  })

  test('a graph is answered when all its tasks are over', async () => {
    const { body } = await daemon.request('POST', '/tasks', {
      tasks: [sleep('g1', 200), sleep('g2', 200, { depends_on: ['g1'] })],
    })
    const early = await daemon.request('GET', `/graphs/${body.graph_id}?wait=50ms`)
    assert.equal(early.body.finished_at, undefined)
    const graph = await daemon.request('GET', `/graphs/${body.graph_id}?wait=1m`)
    assert.equal(graph.body.status, 'success')
    assert.equal((await daemon.request('GET', '/graphs/g-99?wait=1m')).status, 404)
  })

  test('POST /tasks/wait waits for all, for any, and for a graph', async () => {
    const { body } = await daemon.request('POST', '/tasks', { tasks: [sleep('w1', 150), sleep('w2', 1500)] })
    const wait = async (wanted: object) => (await daemon.request('POST', '/tasks/wait', wanted)).body
    const any = await wait({ task_ids: ['w2', 'w1'], mode: 'any' })
    assert.equal(any.done, true)
    assert.deepEqual(
      any.tasks.map((task: any) => `${task.id} ${task.status}`),
      ['w2 running', 'w1 success'],
    )
    assert.equal((await wait({ task_ids: ['w1', 'w2'], timeout: '50ms' })).done, false)
    assert.equal((await wait({ graph_id: body.graph_id, mode: 'any' })).done, true)
    const all = await wait({ graph_id: body.graph_id, timeout: '1m' })
    assert.equal(all.done, true)
    assert.deepEqual(
      all.tasks.map((task: any) => task.status),
      ['success', 'success'],
    )
    assert.equal((await wait({ task_ids: ['w1', 'w2'] })).done, true)
    assert.equal((await wait({ task_ids: ['w1', 'nobody'] })).error, 'task not found: nobody')
    assert.equal((await wait({})).error, 'either task_ids or graph_id is required')
  })

  test('a task that is named several times is waited for, and answered, once', async () => {
    await daemon.submit([sleep('once', 0), sleep('twice', 0)])
    const task_ids = ['twice', 'once', 'twice', ...Array.from({ length: 5000 }, () => 'once')]
    const { body } = await daemon.request('POST', '/tasks/wait', { task_ids })
    assert.deepEqual(
      body.tasks.map(({ id }: any) => id),
      ['twice', 'once'],
    )
  })

  test('an unknown task is 404 at once, whatever is waited for', { timeout: SOON_MS }, async () => {
    await daemon.submit([sleep('known', 60_000)])
    for (const mode of ['all', 'any'])
      for (const task_ids of [['nobody'], ['known', 'nobody']]) {
        const wanted = { task_ids, mode, timeout: '5m' }
        const { status, body } = await daemon.request('POST', '/tasks/wait', wanted)
        assert.deepEqual([status, body.error], [404, 'task not found: nobody'])
      }
    await daemon.request('POST', '/tasks/known/cancel')
  })

  test('who waits for a task that is removed is told', { timeout: SOON_MS }, async () => {
    await daemon.submit([sleep('removed', 20_000), sleep('stays', 60_000)])
    const wait = (task_ids: readonly string[], mode: string) =>
      daemon.request('POST', '/tasks/wait', { task_ids, mode, timeout: '5m' })
    const waits = [
      daemon.request('GET', '/tasks/removed?wait=5m'),
      wait(['removed'], 'all'),
      wait(['removed'], 'any'),
    ]
    const both = [wait(['removed', 'stays'], 'all'), wait(['removed', 'stays'], 'any')]
    await delay(200)
    assert.equal((await daemon.request('DELETE', '/tasks/removed')).status, 204)
    for (const answer of await Promise.all(waits))
      assert.deepEqual([answer.status, answer.body.error], [404, 'task not found: removed'])
    // The others are waited for all the same.
    assert.equal(await Promise.race([...both, delay(200, 'they wait')]), 'they wait')
    await daemon.request('POST', '/tasks/stays/cancel')
    for (const { status, body } of await Promise.all(both)) {
      assert.deepEqual([status, body.done], [200, true])
      assert.deepEqual(
        body.tasks.map(({ id }: any) => id),
        ['stays'],
      )
    }
  })

  test('a body that is too deep is refused by the limit that is set', async (t) => {
    const daemon = await startDaemon({ env: { EXECGO_MAX_JSON_DEPTH: '5' } })
    t.after(() => daemon.stop())
    await daemon.submit([sleep('deep', 0)])
    const status = async (deep: object): Promise<number> =>
      (await daemon.request('POST', '/tasks/wait', { task_ids: ['deep'], deep })).status
    assert.equal(await status([[[[]]]]), 200)
    assert.equal(await status([[[[[]]]]]), 400)
  })

  test('what is not over says when to ask again, by how long its tools take', async (t) => {
    const daemon = await startDaemon()
    t.after(() => daemon.stop())
    await daemon.submit([sleep('learnt', 1100)])
    await daemon.settled('learnt')
    const tasks = [sleep('h1', 600_000), { id: 'h2', type: 'noop', depends_on: ['h1'] }]
    const { body, headers } = await daemon.request('POST', '/tasks', { tasks })
    // A submission is answered before anything is known of it, and sooner for that.
    assert.equal(headers.get('retry-after'), null)
    const graph = `/graphs/${body.graph_id}`
    const hint = async (method: string, path: string, wanted?: object) =>
      (await daemon.request(method, path, wanted)).headers.get('retry-after')
    for (const path of ['/tasks/h1', '/tasks/h1?wait=10ms', graph, `${graph}?wait=10ms`])
      assert.equal(await hint('GET', path), '2', path)
    const ids = { task_ids: ['h2', 'h1'], timeout: '10ms' }
    assert.equal(await hint('POST', '/tasks/wait', ids), '2')
    assert.equal(await hint('POST', '/tasks/wait', { ...ids, mode: 'any' }), '1')
    assert.equal(await hint('POST', '/tasks/wait', { graph_id: body.graph_id, timeout: '10ms' }), '2')
    assert.equal(await hint('POST', `${graph}/cancel`), '2')
    for (const id of ['h1', 'h2']) await daemon.settled(id)
    for (const path of ['/tasks/h1', '/tasks/h1?wait=1m', graph, `${graph}?wait=1m`])
      assert.equal(await hint('GET', path), null, path)
    assert.equal(await hint('POST', '/tasks/wait', { task_ids: ['h1'] }), null)
  })

  test('a task named wait is a task like any other', async () => {
    await daemon.submit([sleep('wait', 0)])
    assert.equal((await daemon.request('GET', '/tasks/wait?wait=1m')).body.status, 'success')
    assert.equal((await daemon.request('DELETE', '/tasks/wait')).status, 204)
  })

  test('clients that go away leave nothing behind', async () => {
    await daemon.submit([sleep('awaited', 20_000)])
    const { pid } = daemon.child
    const open = descriptorsOf(pid!)
    const { hostname, port } = new URL(daemon.url)
    for (const path of ['/tasks/awaited?wait=5m', '/events', '/events?last_event_id=0']) {
      const sockets = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const socket = connect(Number(port), hostname)
          await once(socket, 'connect')
          socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
          return socket
        }),
      )
      await delay(100)
      for (const socket of sockets) socket.resetAndDestroy()
      await eventually('the descriptors are closed', () => descriptorsOf(pid!) <= open + 2)
    }
    await daemon.request('POST', '/tasks/awaited/cancel')
  })

  test('many wait at once, and all are told', { timeout: SOON_MS }, async () => {
    await daemon.submit([sleep('popular', 4000)])
    const { hostname, port } = new URL(daemon.url)
    // One connection carries many requests; they are answered in their order.
    const waits = Array.from({ length: 100 }, async () => {
      const socket = connect(Number(port), hostname)
      let text = ''
      socket.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      const one = 'GET /tasks/popular?wait=1m HTTP/1.1\r\nHost: localhost\r\n\r\n'
      socket.write(one.repeat(50))
      await eventually('all are told', () => text.split('"status":"success","output"').length === 51)
      socket.destroy()
      expectRaw('GET', '/tasks/popular?wait=1m', text)
    })
    await Promise.all(waits)
  })

  test('a stop answers those that wait at once', async () => {
    const stopped = await startDaemon({ args: ['-shutdown-timeout', '2'] })
    await stopped.submit([sleep('last', 60_000)])
    const waits = ['/tasks/last?wait=5m', '/graphs/g-1?wait=5m'].map((path) => stopped.request('GET', path))
    await stopped.until('last', ({ status }) => status === 'running')
    const events = await watch(stopped)
    const ended = stopped.stop()
    for (const answer of await Promise.all(waits))
      assert.deepEqual([answer.status, answer.body.status], [200, 'running'])
    await events.ended
    await ended
  })
})

describe('GET /events', () => {
  test('what happens to tasks is told, once each, in order, and by filters', async (t) => {
    const daemon = await startDaemon()
    t.after(() => daemon.stop())
    const all = await watch(daemon)
    const one = await watch(daemon, '?task_id=retried')
    const ends = await watch(daemon, '?type=task_succeeded,task_failed,task_skipped,task_cancelled')
    const { body } = await daemon.request('POST', '/tasks', {
      tasks: [
        sleep('fine', 50),
        { id: 'retried', type: 'shell', params: { command: 'ls', args: ['/nowhere'] }, retry: 1 },
        { id: 'skipped', type: 'noop', depends_on: ['retried'] },
        sleep('stopped', 60_000),
      ],
    })
    const graph = await watch(daemon, `?graph_id=${body.graph_id}&last_event_id=0`)
    await daemon.until('stopped', ({ status }) => status === 'running')
    await daemon.request('POST', '/tasks/stopped/cancel')
    await daemon.settled('skipped')
    await all.until(13)
    assert.deepEqual(
      all.events.map(({ id }) => id),
      Array.from({ length: all.events.length }, (_, at) => at + 1),
    )
    const of = (id: string) => all.events.filter(({ task_id }) => task_id === id).map(typeOf)
    assert.deepEqual(of('fine'), ['submitted', 'started', 'succeeded'])
    assert.deepEqual(of('retried'), ['submitted', 'started', 'retried', 'started', 'failed'])
    assert.deepEqual(of('skipped'), ['submitted', 'skipped'])
    assert.deepEqual(of('stopped'), ['submitted', 'started', 'cancelled'])
    await one.until(5)
    assert.deepEqual(one.events.map(typeOf), of('retried'))
    await ends.until(4)
    await graph.until(13)
    assert.deepEqual(graph.events, all.events.slice(0, 13))
    const failed = ends.events.find(({ task_id }) => task_id === 'retried')!
    assert.deepEqual([failed.type, failed.attempt, failed.graph_id], ['task_failed', 2, body.graph_id])
    await daemon.submit([
      sleep('c1', 20),
      sleep('c2', 20, { depends_on: ['c1'] }),
      sleep('c3', 20, { depends_on: ['c2'] }),
    ])
    await all.until(13 + 9)
    const chain = all.events.slice(13).filter(({ type }) => type !== 'task_submitted')
    assert.deepEqual(
      chain.map((event) => `${typeOf(event)} ${event.task_id}`),
      ['c1', 'c2', 'c3'].flatMap((id) => [`started ${id}`, `succeeded ${id}`]),
    )
    // What was told is kept.
    assert.equal((await daemon.get('stopped')).status, 'failed')
    for (const reader of [all, one, ends, graph]) reader.close()
  })

  test('a watch that was told nothing yet says where to go on', async (t) => {
    const daemon = await startDaemon()
    t.after(() => daemon.stop())
    await daemon.submit([{ id: 'before', type: 'noop' }])
    await daemon.settled('before')
    const response = await fetch(`${daemon.url}/events`)
    const reader = response.body!.getReader()
    const frame = new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()
    const [, place] = /^: watching\nid: (\d+)\n\n$/.exec(frame) ?? []
    assert.ok(Number(place) > 0, frame)
    await daemon.submit([{ id: 'between', type: 'noop' }])
    const again = await watch(daemon, `?last_event_id=${place}&type=task_submitted`)
    await again.until(1)
    assert.equal(again.events[0]!.task_id, 'between')
    again.close()
  })

  test('what cannot be watched is refused, and what is gone is gone', async (t) => {
    const daemon = await startDaemon({ env: { EXECGO_EVENTS_KEEP: '20' } })
    t.after(() => daemon.stop())
    await daemon.submit(Array.from({ length: 50 }, (_, at) => ({ id: `n${at}`, type: 'noop' })))
    await daemon.allSettled()
    await daemon.submit([{ id: 'last', type: 'noop' }])
    await daemon.settled('last')
    const status = async (query: string, headers = {}): Promise<number> =>
      (await daemon.request('GET', `/events${query}`, undefined, headers)).status
    assert.equal(await status('?type=task_begun'), 400)
    assert.equal(await status('?graph_id=x'), 400)
    assert.equal(await status('', { 'Last-Event-ID': 'x' }), 400)
    assert.equal(await status('', { 'Last-Event-ID': '1' }), 410)
    assert.equal(await status('?last_event_id=1000000'), 410)
  })

  test('without a history there are no events, and who comes back later is told so', async (t) => {
    const dataDir = await tempDir(t)
    let daemon = await startDaemon({ dataDir })
    t.after(() => daemon.stop())
    const again = async (keep: string): Promise<void> => {
      await daemon.stop()
      daemon = await startDaemon({ dataDir, env: { EXECGO_EVENTS_KEEP: keep } })
    }
    const refusal = async (query: string): Promise<[number, string]> => {
      const { status, body } = await daemon.request('GET', `/events${query}`)
      return [status, body.error]
    }
    const gone = 'and cannot go on after 3: read the tasks, and watch from now on'
    await daemon.submit([{ id: 'before', type: 'noop' }])
    await daemon.settled('before')
    await again('0')
    assert.deepEqual(await refusal(''), [404, 'events are off: EXECGO_EVENTS_KEEP is 0'])
    await daemon.submit([{ id: 'untold', type: 'noop' }])
    await daemon.settled('untold')
    await again('100')
    assert.deepEqual(await refusal('?last_event_id=3'), [410, `the history has no events, ${gone}`])
    await daemon.submit([{ id: 'after', type: 'noop' }])
    await daemon.settled('after')
    assert.deepEqual(await refusal('?last_event_id=3'), [410, `the history has events 5 to 7, ${gone}`])
    const reader = await watch(daemon, '?last_event_id=4')
    await reader.until(3)
    assert.deepEqual(
      reader.events.map(({ id, task_id }) => [id, task_id]),
      [5, 6, 7].map((id) => [id, 'after']),
    )
    reader.close()
  })

  test('ten thousand tasks arrive once each, in order, over reconnects, a restart and a crash', async (t) => {
    const dataDir = await tempDir(t)
    let daemon = await startDaemon({ dataDir })
    t.after(() => daemon.stop())
    const seen: SeenEvent[] = []
    let reader = await watch(daemon, '?last_event_id=0', seen)
    const again = async (): Promise<void> => {
      reader.close()
      reader = await watch(daemon, `?last_event_id=${seen.at(-1)?.id ?? 0}`, seen)
    }
    const part = async (from: number): Promise<void> => {
      for (let at = from; at < from + 3334; at += 1667)
        await daemon.submit(Array.from({ length: 1667 }, (_, n) => ({ id: `t${at + n}`, type: 'noop' })))
    }
    await part(0)
    await again()
    await part(3334)
    await reader.until(100)
    reader.close()
    await daemon.stop()
    daemon = await startDaemon({ dataDir })
    await again()
    await part(6668)
    await again()
    await daemon.crash()
    daemon = await startDaemon({ dataDir })
    await again()
    await eventually(
      'all have arrived',
      () => seen.filter(({ type }) => type === 'task_succeeded').length >= 10_002,
    )
    assert.deepEqual(
      seen.map(({ id }) => id),
      Array.from({ length: seen.length }, (_, at) => at + 1),
    )
    for (const type of ['task_submitted', 'task_succeeded']) {
      const ids = seen.filter((event) => event.type === type).map(({ task_id }) => task_id)
      assert.equal(new Set(ids).size, 10_002)
      assert.equal(ids.length, 10_002, type)
    }
    const places = new Map<string, number>()
    for (const { task_id, type } of seen) {
      const place = ['task_submitted', 'task_started', 'task_succeeded'].indexOf(type)
      assert.ok(place >= (places.get(task_id) ?? 0), `${task_id}: ${type}`)
      places.set(task_id, place)
    }
    reader.close()
  })

  test('a reader that does not read costs nothing, and is passed by', { timeout: SOON_MS }, async (t) => {
    const daemon = await startDaemon({ env: { EXECGO_EVENTS_KEEP: '1000' } })
    t.after(() => daemon.stop())
    const asked = ask(`${daemon.url}/events`).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    response.pause()
    expectBegun(asked, response)
    for (let round = 0; round < 10; round++)
      await daemon.submit(
        Array.from({ length: 5000 }, (_, at) => ({ id: `r${round}-${at}-${'x'.repeat(200)}`, type: 'noop' })),
      )
    await daemon.allSettled()
    const ended = new Promise((resolve) => response.once('close', resolve))
    response.resume().on('error', () => {})
    await ended
  })
})

const typeOf = ({ type }: SeenEvent): string => type.replace('task_', '')
