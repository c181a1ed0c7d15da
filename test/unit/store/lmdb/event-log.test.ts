import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { newGraph } from '../../../../src/domain/graph-record.ts'
import { newTask } from '../../../../src/domain/new-task.ts'
import type { TaskEvent } from '../../../../src/store/events.ts'
import { LmdbStore } from '../../../../src/store/lmdb/lmdb-store.ts'
import { submitted } from '../../../support/tasks.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const open = async (t: TestContext, dataDir: string, maxEvents: number, maxAgeMs = 3_600_000) => {
  let nowMs = 1_775_211_263_805
  const store = new LmdbStore({
    dataDir,
    nowMs: () => nowMs,
    stateJsonEveryMs: 0,
    retention: { maxAgeMs: 0, maxTasks: 0 },
    events: { maxEvents, maxAgeMs },
    onProblem: (error) => assert.fail(String(error)),
  })
  let { lastKey } = await store.start()
  t.after(() => store.stop())
  /** Accepts so many tasks: as many events. */
  const accept = async (count: number): Promise<void> => {
    const graph = newGraph(lastKey + 1, count, nowMs, false)
    const tasks = Array.from({ length: count }, (_, at) =>
      newTask(submitted(`t${graph.key + at}`), {
        key: graph.key + at,
        graph,
        createdMs: nowMs,
        handleId: '',
        attempt: 0,
      }),
    )
    lastKey += count
    await store.commit({ accepted: { graph, tasks } }, 'sync')
  }
  const all = (): number[] => {
    const ids: number[] = []
    for (let last = store.firstEvent - 1; last < store.lastEvent; last = ids.at(-1)!)
      for (const { id, taskId } of store.eventsAfter(last)!) {
        assert.equal(taskId, `t${id}`)
        ids.push(id)
      }
    return ids
  }
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { store, accept, all, pass }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)

test('the sequence goes on over restarts', async (t) => {
  const dataDir = await tempDir(t)
  for (let round = 1; round <= 3; round++) {
    const { store, accept, all } = await open(t, dataDir, 100_000)
    assert.equal(store.lastEvent, (round - 1) * 1501)
    await accept(1500)
    await accept(1)
    assert.deepEqual(all(), range(1, round * 1501))
    assert.deepEqual(store.eventsAfter(round * 1501), [])
    await store.stop()
  }
})

test('as many stay as are wanted, and no record is cut', async (t) => {
  const { store, accept, all } = await open(t, await tempDir(t), 25)
  for (let round = 0; round < 20; round++) await accept(10)
  assert.deepEqual(all(), range(171, 200))
  assert.equal(store.eventsAfter(169), null)
  await accept(1000)
  await accept(1)
  assert.equal(store.lastEvent, 1201)
  assert.equal(store.firstEvent, 201)
})

test('old ones go, but the last', async (t) => {
  const dataDir = await tempDir(t)
  const { store, accept, all, pass } = await open(t, dataDir, 1000, 1000)
  await accept(10)
  pass(500)
  await accept(10)
  pass(700)
  await accept(10)
  assert.deepEqual(all(), range(11, 30))
  pass(5000)
  await accept(1)
  assert.deepEqual(all(), [31])
  await store.stop()
  const again = await open(t, dataDir, 1000, 1000)
  assert.deepEqual(again.all(), [31])
})

test('none are kept where none are wanted; the numbers are not given again, and the gap is told', async (t) => {
  const dataDir = await tempDir(t)
  const round = (maxEvents: number) => open(t, dataDir, maxEvents)
  const first = await round(10)
  await first.accept(5)
  await first.store.stop()
  // However often it is off, the gap is one.
  for (let times = 0; times < 2; times++) {
    const off = await round(0)
    assert.equal(off.store.areEventsOn, false)
    await off.accept(5)
    assert.deepEqual([off.store.firstEvent, off.store.lastEvent], [7, 6])
    await off.store.stop()
  }
  // Also where nothing happens until the next start.
  await (await round(10)).store.stop()
  const on = await round(10)
  assert.deepEqual([on.store.firstEvent, on.store.lastEvent], [7, 6])
  assert.equal(on.store.eventsAfter(5), null)
  assert.deepEqual(on.store.eventsAfter(6), [])
  await on.accept(3)
  assert.equal(on.store.eventsAfter(5), null)
  assert.deepEqual(idsOf(on.store.eventsAfter(6)), [7, 8, 9])
  await on.store.stop()
  const again = await round(10)
  assert.deepEqual([again.store.firstEvent, again.store.lastEvent], [7, 9])
  // The mark goes as the oldest events do.
  for (let times = 0; times < 5; times++) await again.accept(5)
  assert.deepEqual([again.store.firstEvent, again.store.lastEvent], [25, 34])
  await again.store.stop()
  const last = await round(10)
  assert.deepEqual(idsOf(last.store.eventsAfter(24)), range(25, 34))
})

test('what began without events has a gap before its first', async (t) => {
  const dataDir = await tempDir(t)
  const off = await open(t, dataDir, 0)
  await off.accept(5)
  await off.store.stop()
  const on = await open(t, dataDir, 10)
  await on.accept(1)
  assert.equal(on.store.eventsAfter(0), null)
  assert.deepEqual(idsOf(on.store.eventsAfter(1)), [2])
})

test('the end of a task is told once, though it comes again as its sync was not confirmed', async (t) => {
  const { store, accept } = await open(t, await tempDir(t), 1000)
  await accept(2)
  const tasks = ['t1', 't2'].map((id) => store.unfinished(id)!)
  await store.commit({ removed: ['t2'] }, 'sync')
  for (const task of tasks) Object.assign(task, { phase: 'skipped', error: 'why' })
  for (let time = 0; time < 2; time++) await store.commit({ ended: tasks }, 'sync')
  assert.deepEqual(
    store.eventsAfter(2)!.map(({ type, taskId }) => `${type} ${taskId}`),
    ['task_skipped t1', 'task_skipped t2'],
  )
})

const idsOf = (events: readonly TaskEvent[] | null): number[] | undefined => events?.map(({ id }) => id)
