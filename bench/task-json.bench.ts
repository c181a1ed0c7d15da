/**
 * What does the text of a finished task cost, which GET answers and the store keeps?
 *
 * More than JSON.stringify of the same object: the hand-written text is not worth its code.
 */
import type { Bench } from 'tinybench'
import { flat } from './load/graphs.ts'
import { type Question, built } from './micro.ts'

export const taskJson: Question = {
  name: 'task-json',
  async ask(bench: Bench) {
    const { parseGraph } = await built<typeof import('../src/api/schemas.ts')>('src/api/schemas')
    const { newTask } = await built<typeof import('../src/domain/new-task.ts')>('src/domain/new-task')
    const { finishedTaskJson } =
      await built<typeof import('../src/domain/task-json.ts')>('src/domain/task-json')
    const { newGraph } =
      await built<typeof import('../src/domain/graph-record.ts')>('src/domain/graph-record')
    const submitted = parseGraph(JSON.parse(flat('t', 1)))
    if (!submitted.ok) throw new Error(submitted.problem.message)
    const nowMs = Date.now()
    const task = newTask(submitted.value.tasks[0]!, {
      key: 1,
      graph: newGraph(1, 1, nowMs, false),
      createdMs: nowMs,
      handleId: '',
      attempt: 1,
    })
    task.phase = 'success'
    task.startedMs = nowMs
    task.envelope = {
      status: 'success',
      outputJson: '{"ok":true,"message":""}',
      detailsJson: '',
      startedMs: nowMs,
      finishedMs: nowMs + 1,
      error: null,
    }
    const object: unknown = JSON.parse(finishedTaskJson(task))
    bench
      .add('finishedTaskJson, one noop', () => {
        finishedTaskJson(task)
      })
      .add('JSON.stringify of the same', () => {
        JSON.stringify(object)
      })
  },
}
