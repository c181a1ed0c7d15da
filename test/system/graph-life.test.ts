/** Contract B2 on the real daemon: cancel, graphs, conflicts, idempotency, priorities and times. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fetch } from '../support/checked-fetch.ts'
import { gone, script } from '../support/commands.ts'
import { type TestDaemon, startDaemon } from '../support/daemon.ts'

let daemon: TestDaemon
let scratch: string
before(async () => {
  daemon = await startDaemon({ args: ['-max-concurrency', '2'] })
  scratch = await mkdtemp(join(tmpdir(), 'execgo-graphs-'))
})
after(async () => {
  await daemon.stop()
  await rm(scratch, { recursive: true, force: true })
})

const pidsIn = async (path: string, count: number): Promise<number[]> => {
  for (;;) {
    const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(0, -1)
    if (lines.length === count) return lines.map(Number)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('a cancel ends the whole tree, keeps what was printed, and says who did it', async () => {
  const file = join(scratch, 'tree')
  await daemon.submit([
    { id: 'a/tree', ...script(`echo seen; sleep 600 & echo $! >> ${file}; echo $$ >> ${file}; wait`) },
  ])
  const pids = await pidsIn(file, 2)
  const cancelled = await daemon.request('POST', '/tasks/a%2Ftree/cancel')
  assert.equal(cancelled.status, 202)
  assert.equal(cancelled.body.id, 'a/tree')
  const task = await daemon.settled('a/tree')
  assert.deepEqual([task.status, task.run_status], ['failed', 'cancelled'])
  assert.equal(task.result.stdout, 'seen\n')
  assert.deepEqual(task.runtime.details, { signal: 'SIGTERM', terminated_by: 'user' })
  for (const pid of pids) await gone(pid)
  assert.equal((await daemon.request('POST', '/tasks/a%2Ftree/cancel')).status, 409)
  assert.equal((await daemon.request('GET', '/tasks/a%2Ftree/cancel')).status, 405)
})

test('what replaces a task that runs begins when its command has ended', async () => {
  const file = join(scratch, 'replaced')
  const slow = `trap 'sleep 0.3; echo old ended >> ${file}; exit' TERM; echo $$ >> ${file}; while :; do sleep 0.05; done`
  await daemon.submit([{ id: 'replaced', ...script(slow) }])
  await pidsIn(file, 1)
  await daemon.submit([{ id: 'replaced', ...script(`echo new began >> ${file}`) }])
  assert.equal((await daemon.settled('replaced')).status, 'success')
  const lines = (await readFile(file, 'utf8')).split('\n').slice(1, -1)
  assert.deepEqual(lines, ['old ended', 'new began'])
})

test('grace_ms lies before SIGKILL', async () => {
  for (const [id, path, body] of [
    ['in-body', '/tasks/in-body/cancel', { grace_ms: 100 }],
    ['in-query', '/tasks/in-query/cancel?grace_ms=100', undefined],
  ] as const) {
    const file = join(scratch, id)
    await daemon.submit([{ id, ...script(`trap '' TERM; echo $$ >> ${file}; while :; do sleep 0.05; done`) }])
    await pidsIn(file, 1)
    const startedMs = Date.now()
    assert.equal((await daemon.request('POST', path, body)).status, 202)
    const task = await daemon.settled(id)
    assert.deepEqual(task.runtime.details, { signal: 'SIGKILL', terminated_by: 'user' })
    assert.ok(Date.now() - startedMs < 4000)
  }
  const bad = await daemon.request('POST', '/tasks/in-body/cancel', { grace_ms: -1 })
  assert.deepEqual([bad.status, bad.body.error], [400, 'grace_ms must be from 0 to 600000'])
})

test('a command knows its graph, and a timeout says that it was one', async () => {
  const { body } = await daemon.request('POST', '/tasks', {
    tasks: [
      { id: 'env', ...script('echo $EXECGO_GRAPH_ID') },
      { id: 'late', ...script('echo $$; exec sleep 600'), timeout: 300 },
    ],
  })
  assert.equal((await daemon.settled('env')).result.stdout, `${body.graph_id}\n`)
  const late = await daemon.settled('late')
  assert.deepEqual(late.runtime.details, { signal: 'SIGTERM', terminated_by: 'timeout' })
  assert.match(late.result.stdout, /^\d+\n$/)
})

test('a higher priority starts first, a delay is waited for', async () => {
  const startedMs = Date.now()
  await daemon.submit([
    { id: 'busy-1', type: 'sleep', params: { duration_ms: 300 }, priority: 9 },
    { id: 'busy-2', type: 'sleep', params: { duration_ms: 300 }, priority: 9 },
    { id: 'low', type: 'sleep', params: { duration_ms: 200 }, priority: 0 },
    { id: 'usual', type: 'sleep', params: { duration_ms: 200 } },
    { id: 'high', type: 'sleep', params: { duration_ms: 200 }, priority: 8 },
    { id: 'delayed', type: 'noop', delay_ms: 1500 },
  ])
  const startOf = async (id: string) => Date.parse((await daemon.settled(id)).runtime.started_at)
  assert.ok((await startOf('high')) < (await startOf('low')))
  assert.ok((await startOf('usual')) < (await startOf('low')))
  assert.ok((await startOf('delayed')) >= startedMs + 1500)
  assert.equal(
    Date.parse((await daemon.get('delayed')).run_at),
    Date.parse((await daemon.get('delayed')).created_at) + 1500,
  )
})

test('graphs are shown, listed, retried and removed', async () => {
  const flag = join(scratch, 'flag')
  const { body } = await daemon.request('POST', '/tasks', {
    tasks: [
      { id: 'r1', ...script(`test -e ${flag}`) },
      { id: 'r2', type: 'noop', depends_on: ['r1'] },
    ],
  })
  const path = `/graphs/${body.graph_id}`
  await daemon.settled('r2')
  const failed = (await daemon.request('GET', path)).body
  assert.equal(failed.status, 'failed')
  assert.deepEqual(failed.counts, { pending: 0, running: 0, success: 0, failed: 1, skipped: 1 })
  assert.ok(Date.parse(failed.finished_at) >= Date.parse(failed.created_at))
  await daemon.submit([{ id: 'make', type: 'file', params: { action: 'write', path: flag, content: '' } }])
  await daemon.settled('make')
  assert.equal((await daemon.request('POST', `${path}/retry`)).status, 202)
  assert.equal((await daemon.settled('r1')).runtime.attempt, 2)
  assert.equal((await daemon.settled('r2')).status, 'success')
  assert.equal((await daemon.request('GET', path)).body.status, 'success')

  const first = (await daemon.request('GET', '/graphs?limit=1')).body
  assert.equal(first.graphs.length, 1)
  const rest = (await daemon.request('GET', `/graphs?cursor=${first.next_cursor}`)).body
  assert.ok(rest.graphs.some((graph: any) => graph.graph_id === body.graph_id))
  assert.ok(!rest.graphs.some((graph: any) => graph.graph_id === first.graphs[0].graph_id))
  assert.equal((await daemon.request('GET', '/graphs?limit=0')).status, 400)
  assert.equal((await daemon.request('GET', '/graphs?cursor=x')).status, 400)

  assert.equal((await daemon.request('DELETE', path)).status, 204)
  assert.deepEqual((await daemon.request('DELETE', path)).body, {
    error: `graph not found: ${body.graph_id}`,
  })
  assert.equal(await daemon.request('GET', '/tasks/r1').then(({ status }) => status), 404)
})

test('a submission with an Idempotency-Key is taken once', async () => {
  const post = async (key: string, body: object) => {
    const response = await fetch(`${daemon.url}/tasks`, {
      method: 'POST',
      headers: { 'Idempotency-Key': key },
      body: JSON.stringify(body),
    })
    return {
      status: response.status,
      replayed: response.headers.get('idempotent-replayed'),
      body: (await response.json()) as any,
    }
  }
  const body = { tasks: [{ id: 'once', type: 'noop' }] }
  const answers = await Promise.all(Array.from({ length: 5 }, () => post('k1', body)))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 202, 202, 202, 202],
  )
  assert.equal(new Set(answers.map((answer) => answer.body.graph_id)).size, 1)
  assert.equal(answers.filter(({ replayed }) => replayed === 'true').length, 4)
  const other = await post('k1', { tasks: [{ id: 'other', type: 'noop' }] })
  assert.deepEqual([other.status, other.body.error], [422, 'idempotency key "k1" was used with another body'])
  assert.equal((await post('k'.repeat(256), body)).status, 400)
})
