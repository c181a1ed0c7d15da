/**
 * What does a graph of 100 cost the store, without the disk: taking it in and writing its accept record, and packing its
 * outcomes?
 *
 * Much more than 0.5 µs a task for either: something on the way looks at each task once too often, or makes a text that
 * was made before.
 */
import type { Bench } from 'tinybench'
import type { Task } from '../src/domain/task.ts'
import { layered } from './load/graphs.ts'
import { type Question, built } from './micro.ts'

export const store: Question = {
  name: 'store',
  async ask(bench: Bench) {
    const { parseGraph } = await built<typeof import('../src/api/schemas.ts')>('src/api/schemas')
    const { planGraph } = await built<typeof import('../src/domain/graph.ts')>('src/domain/graph')
    const { DEFAULT_LIMITS } = await built<typeof import('../src/domain/limits.ts')>('src/domain/limits')
    const { Keys, acceptPlan } =
      await built<typeof import('../src/scheduler/accept.ts')>('src/scheduler/accept')
    const { writePart } = await built<typeof import('../src/store/lmdb/accept-records.ts')>(
      'src/store/lmdb/accept-records',
    )
    const { packBatches } =
      await built<typeof import('../src/store/lmdb/batches.ts')>('src/store/lmdb/batches')
    const { Ids } = await built<typeof import('../src/store/lmdb/ids.ts')>('src/store/lmdb/ids')
    const { Memory } = await built<typeof import('../src/store/lmdb/memory.ts')>('src/store/lmdb/memory')
    const { RecordBuffer } = await built<typeof import('../src/store/lmdb/record-buffer.ts')>(
      'src/store/lmdb/record-buffer',
    )
    const { TaskIndex } =
      await built<typeof import('../src/store/lmdb/task-index.ts')>('src/store/lmdb/task-index')
    const submitted = parseGraph(JSON.parse(layered('t', 10, 10)))
    if (!submitted.ok) throw new Error(submitted.problem.message)
    const planned = planGraph(submitted.value.tasks, DEFAULT_LIMITS)
    if (!planned.ok) throw new Error(planned.problem.message)
    const nowMs = Date.now()
    const accepted = acceptPlan(planned.value, new Keys(), nowMs, false)
    const records = new RecordBuffer()
    const index = new TaskIndex()
    // No id comes twice: no text is looked at.
    const ids = new Ids(new Memory(index, new Map(), new Set()), null as never)
    const ended = acceptPlan(planned.value, new Keys(), nowMs, false).tasks.map((task) => over(task, nowMs))
    bench
      .add('a graph of 100 accepted', () => {
        records.begin()
        ids.announce(accepted)
        records.open('accepts', 1)
        writePart(records, accepted.graph, accepted.tasks, false)
        records.close()
        records.end()
        records.recycle(records.detach())
        ids.takeBack(accepted)
      })
      .add('100 outcomes packed', () => {
        records.begin()
        packBatches(ended, 1, records, index)
        records.end()
        records.recycle(records.detach())
      })
  },
}

const over = (task: Task, nowMs: number): Task =>
  Object.assign(task, {
    phase: 'success',
    attempt: 1,
    startedMs: nowMs,
    envelope: {
      status: 'success',
      outputJson: '{"ok":true,"message":""}',
      detailsJson: '',
      startedMs: nowMs,
      finishedMs: nowMs + 1,
      error: null,
    },
  })
