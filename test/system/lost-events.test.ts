/**
 * Readers of events over a loss: what a reader has seen and the disk has not is answered 410, and everything else comes
 * once. @see contract B3
 */
import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { watch } from '../support/event-reader.ts'
import { tempDir } from '../support/temp-dir.ts'

const noops = (name: string, count: number): object[] =>
  Array.from({ length: count }, (_, at) => ({ id: `${name}${at}`, type: 'noop' }))

test('a history that ends before what a reader has seen is gone, and is not taken for another', async (t) => {
  const dir = await tempDir(t)
  const [whole, lost] = [join(dir, 'whole'), join(dir, 'lost')]
  const first = await startDaemon({ dataDir: whole })
  t.after(() => first.stop())
  const reader = await watch(first)
  await first.submit(noops('a', 10))
  await reader.until(30)
  await first.stop()
  // As after a disk that kept nothing of what follows.
  await cp(whole, lost, { recursive: true })
  const second = await startDaemon({ dataDir: whole })
  t.after(() => second.stop())
  const later = await watch(second, '?last_event_id=30', [...reader.events])
  await second.submit(noops('b', 10))
  await later.until(60)
  await second.crash()

  const third = await startDaemon({ dataDir: lost })
  t.after(() => third.stop())
  const beyond = await third.request('GET', '/events?last_event_id=60')
  assert.equal(beyond.status, 410)
  assert.match(beyond.body.error, /^the history has events 1 to 30, and cannot go on after 60: /)
  const at = await watch(third, '?last_event_id=30')
  const before = await watch(third, '?last_event_id=7')
  await third.submit(noops('c', 2))
  await Promise.all([at.until(6), before.until(29)])
  assert.deepEqual(
    before.events.map(({ id }) => id),
    Array.from({ length: 29 }, (_, place) => 8 + place),
  )
  assert.deepEqual(before.events.slice(-6), at.events)
  for (const each of [at, before]) each.close()
})

test('what is relaxed is told to readers too, over a crash as well', async (t) => {
  const dataDir = await tempDir(t)
  const env = { EXECGO_DURABILITY: 'relaxed' }
  const first = await startDaemon({ dataDir, env })
  t.after(() => first.stop())
  const reader = await watch(first)
  for (let round = 0; round < 20; round++) await first.submit(noops(`r${round}-`, 50))
  await eventually('some have come', () => reader.events.length > 1000)
  await first.crash()
  const seen = [...reader.events]
  const second = await startDaemon({ dataDir, env })
  t.after(() => second.stop())
  const again = await watch(second, `?last_event_id=${seen.at(-1)!.id}`, seen)
  // The last ones may have been answered, and lost.
  const kept = (await second.allSettled()).length
  const ended = () => seen.filter(({ type }) => type === 'task_succeeded').length
  await eventually('all have come', () => ended() === kept)
  assert.deepEqual(
    seen.map(({ id }) => id),
    Array.from({ length: seen.length }, (_, at) => at + 1),
  )
  again.close()
})
