/** Tasks for tests: everything that a test does not name is absent. */
import { type GraphPlan, planGraph } from '../../src/domain/graph.ts'
import { DEFAULT_LIMITS } from '../../src/domain/limits.ts'
import { type Graph, newGraph } from '../../src/domain/graph-record.ts'
import { newTask } from '../../src/domain/new-task.ts'
import type { Envelope } from '../../src/domain/runtime.ts'
import type { SubmittedTask, Task } from '../../src/domain/task.ts'
import type { Acceptance } from '../../src/store/store.ts'

/** A submitted `noop`. */
export const submitted = (id: string, given: Partial<SubmittedTask> = {}): SubmittedTask => ({
  id,
  type: 'noop',
  paramsJson: '',
  inputJson: '',
  annotationsJson: '',
  dependsOn: [],
  retry: 0,
  timeoutMs: 0,
  toolName: '',
  priority: 5,
  runAtMs: 0,
  delayMs: 0,
  allowFailure: false,
  runIf: 'success',
  ...given,
})

let lastKey = 0

const CREATED_MS = 1_775_211_263_805

/** An accepted task, in a graph of its own. */
export const accepted = (id: string, given: Partial<SubmittedTask> = {}, handleId = ''): Task => {
  const key = ++lastKey
  const graph = newGraph(key, 1, CREATED_MS, false)
  return newTask(submitted(id, given), { key, graph, createdMs: CREATED_MS, handleId, attempt: 0 })
}

/** What is committed to accept these tasks, as the graph of the first of them. */
export const graphOf = (...tasks: readonly Task[]): Acceptance => {
  const graph = newGraph(tasks[0]!.key, tasks.length, CREATED_MS, false)
  for (const task of tasks) (task as { graph: Graph }).graph = graph
  return { graph, tasks }
}

/** The plan of a graph that has no problem. */
export const planOf = (tasks: readonly SubmittedTask[]): GraphPlan => {
  const plan = planGraph(tasks, DEFAULT_LIMITS)
  if (!plan.ok) throw new Error(plan.problem.message)
  return plan.value
}

/** `count` tasks, each of which depends on the one before it. */
export const chain = (count: number, given: Partial<SubmittedTask> = {}): SubmittedTask[] =>
  Array.from({ length: count }, (_, at) =>
    submitted(`t${at}`, { ...given, dependsOn: at === 0 ? [] : [`t${at - 1}`] }),
  )

/** What asks for every task, oldest first. */
export const ALL_TASKS = { status: null, type: null, tool: '', prefix: '', graph: null, isNewestFirst: false }

/** What an attempt came to. */
export const envelope = (given: Partial<Envelope> = {}): Envelope => ({
  status: 'success',
  outputJson: '',
  detailsJson: '',
  startedMs: 1_775_211_263_810,
  finishedMs: 1_775_211_263_810,
  error: null,
  ...given,
})

/** The task as it is once its attempt came to `came`. */
export const ended = (task: Task, came: Envelope): Task => {
  task.phase = came.error === null ? 'success' : 'failed'
  task.attempt ||= 1
  task.startedMs = came.startedMs
  task.updatedMs = came.finishedMs
  task.envelope = came
  task.error = came.error?.message ?? ''
  return task
}
