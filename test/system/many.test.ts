/** Many finished tasks: on disk, not in memory. EXECGO_MANY_TASKS=500000 for the figures of the whole promise. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetch } from '../support/checked-fetch.ts'
import { anonymousMb } from '../support/children.ts'
import { type TestDaemon, startDaemon } from '../support/daemon.ts'

const COUNT = Number(process.env['EXECGO_MANY_TASKS'] ?? 100_000)
const AT_ONCE = 10_000
/** V8 of Node 24 lets its heap grow further before it collects. */
const MOST_ANONYMOUS_MB = Number(process.versions.node.split('.')[0]) >= 24 ? 400 : 300

/** Reads the list without holding it: bytes, tasks, seconds. */
const readList = async ({ url }: TestDaemon): Promise<{ bytes: number; tasks: number; seconds: number }> => {
  const startedAt = performance.now()
  const response = await fetch(`${url}/tasks`)
  assert.equal(response.status, 200)
  const mark = '{"id":"'
  let bytes = 0
  let tasks = 0
  let rest = ''
  for await (const chunk of response.body!) {
    const piece = Buffer.from(chunk)
    bytes += piece.length
    const text = rest + piece.toString('latin1')
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) tasks++
    rest = text.slice(1 - mark.length)
  }
  return { bytes, tasks, seconds: (performance.now() - startedAt) / 1000 }
}

test(`${COUNT} finished tasks: little memory, a quick restart, a list that streams`, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'execgo-many-'))
  t.after(() => rm(dataDir, { recursive: true, force: true }))
  const env = { EXECGO_STATE_JSON: 'off', EXECGO_LOG_LEVEL: 'info' }
  const daemon = await startDaemon({ dataDir, env })
  t.after(() => daemon.crash())
  for (let from = 0; from < COUNT; from += AT_ONCE) {
    const size = Math.min(AT_ONCE, COUNT - from)
    await daemon.submit(
      Array.from({ length: size }, (_, at) => ({
        id: `task-${from + at}`,
        type: 'noop',
        params: { message: `number ${from + at}` },
      })),
    )
    const wanted = from + size
    while ((await daemon.request('GET', '/metrics')).body.tasks_succeeded < wanted) await sleep(20)
  }
  // Outcomes are kept in their order: with the last one, all are.
  await daemon.settled(`task-${COUNT - 1}`)
  const before = anonymousMb(daemon.child.pid!)
  await daemon.crash()

  const startedAt = performance.now()
  const again = await startDaemon({ dataDir, env })
  t.after(() => again.crash())
  assert.equal((await again.request('GET', '/health')).status, 200)
  const restartMs = Math.round(performance.now() - startedAt)
  const after = anonymousMb(again.child.pid!)
  const listed = await readList(again)
  const listing = anonymousMb(again.child.pid!)
  const file = (await stat(join(dataDir, 'execgo.lmdb'))).size
  t.diagnostic(
    `RssAnon ${before} MB, after the restart ${after} MB, after a list ${listing} MB · restart ${restartMs} ms · list ` +
      `${listed.seconds.toFixed(1)} s, ${listed.bytes} bytes · file ${file} bytes`,
  )
  assert.equal(listed.tasks, COUNT)
  for (const megabytes of [before, after, listing])
    assert.ok(megabytes < MOST_ANONYMOUS_MB, `${megabytes} MB`)
  assert.ok(restartMs < 20_000, `${restartMs} ms`)
  for (const at of [0, Math.floor(COUNT / 2), COUNT - 1])
    assert.equal((await again.get(`task-${at}`)).result.message, `number ${at}`)
  assert.equal(await again.stop(), 0)
})
