/** `submit_graph`, `run_graph` and `wait`. */
import type { JsonObject } from '../../domain/json.ts'
import { type Result, ok, refused } from '../../domain/errors.ts'
import type { GraphView } from '../graph-view.ts'
import { parse } from '../schemas.ts'
import { MAX_WAIT_TASKS, parseWait, waitIn } from '../wait-query.ts'
import type { WaitFor } from '../waiting.ts'
import type { Accepted } from './backend.ts'
import { followGraph, hasSucceeded } from './follow.ts'
import { CUT_NOTE, MOST_TASKS, type Told, tellGraph, tellNamed } from './report.ts'
import { RunFields, SubmitFields } from './schemas.ts'
import type { Call } from './tool.ts'

/** Less than the minute after which most hosts give up on a call, and so cancel it. */
const DEFAULT_WAIT = '45s'
const MOST_IDS = 100

export const submitGraph = async (input: JsonObject, call: Call): Promise<Result<JsonObject>> => {
  const { idempotency_key, ...graph } = input
  const fields = parse(SubmitFields, { idempotency_key })
  if (!fields.ok) return fields
  const submitted = await submit(graph, fields.value.idempotency_key ?? '', call)
  if (!submitted.ok) return submitted
  const { task_ids, ...rest } = submitted.value
  const left = task_ids.length - MOST_IDS
  const notes = left > 0 ? [`${left} more ids are left out: list_tasks with graph_id has them.`] : []
  return ok({ ...rest, task_ids: task_ids.slice(0, MOST_IDS), ...withNotes(notes) })
}

const submit = async (graph: JsonObject, idempotencyKey: string, call: Call): Promise<Result<Accepted>> => {
  const accepted = await call.backend.submit(graph, { idempotencyKey, traceparent: call.traceparent })
  if (accepted.ok) call.onAccepted(accepted.value)
  return accepted
}

export const runGraph = async (input: JsonObject, call: Call): Promise<Result<JsonObject>> => {
  const { wait: given, idempotency_key, ...graph } = input
  const fields = parse(RunFields, { wait: given, idempotency_key })
  if (!fields.ok) return fields
  const withinMs = waitIn(fields.value.wait ?? DEFAULT_WAIT, 'wait')
  if (!withinMs.ok) return withinMs
  const submitted = await submit(graph, fields.value.idempotency_key ?? '', call)
  if (!submitted.ok) return submitted
  const { graph_id: graphId, task_ids: taskIds } = submitted.value
  // All of them were there already.
  if (graphId === undefined) return waitForTasks(taskIds, 'all', withinMs.value, call)
  const report = await reportGraph(graphId, await followGraph(graphId, withinMs.value, call), call)
  if (call.isCancelled()) {
    await call.backend.cancelGraph(graphId)
    call.onCancelled(submitted.value)
  }
  return report.ok
    ? report
    : refused(
        report.problem.code,
        `the graph was accepted as ${graphId}, and runs; but how far it is cannot be told: ${report.problem.message}`,
      )
}

export const wait = async (input: JsonObject, call: Call): Promise<Result<JsonObject>> => {
  const wanted = parseWait({ ...input, timeout: input['timeout'] ?? DEFAULT_WAIT })
  if (!wanted.ok) return wanted
  const { taskIds, graphId, mode, timeoutMs } = wanted.value
  if (taskIds !== null) {
    if (taskIds.length <= MOST_TASKS) return waitForTasks(taskIds, mode, timeoutMs, call)
    const problem = `task_ids has ${taskIds.length} ids, more than ${MOST_TASKS}: name their graph`
    return refused('invalid', problem)
  }
  if (mode === 'all') return reportGraph(graphId, await followGraph(graphId, timeoutMs, call), call)
  const done = await call.backend.wait(wanted.value, call.signal)
  if (!done.ok) return done
  return reportGraph(graphId, await call.backend.graph(graphId, 0, call.signal), call, done.value)
}

/** @param isDone where that is not to be seen of the graph */
const reportGraph = async (
  graphId: string,
  graph: Result<GraphView>,
  call: Call,
  isDone?: boolean,
): Promise<Result<JsonObject>> => {
  if (!graph.ok) return graph
  // Nobody reads it.
  if (call.signal.aborted) return ok({})
  const told = await tellGraph(call.backend, graph.value)
  if (!told.ok) return told
  const { counts, ...rest } = graph.value
  const succeeded = hasSucceeded(graph.value)
  const size = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const done = isDone ?? succeeded !== undefined
  return ok({
    done,
    ...(succeeded === undefined ? {} : { ok: succeeded }),
    graph: { ...rest, counts: { ...counts } },
    ...tasksAndNotes(told.value, size, done, graphId, call),
  })
}

const waitForTasks = async (
  ids: readonly string[],
  mode: WaitFor['mode'],
  timeoutMs: number,
  call: Call,
): Promise<Result<JsonObject>> => {
  // A daemon behind a network takes no more; of the rest nobody says that they are over.
  const taskIds = ids.slice(0, MAX_WAIT_TASKS)
  const waited = await call.backend.wait({ taskIds, graphId: '', mode, timeoutMs }, call.signal)
  if (!waited.ok) return waited
  const isDone = waited.value && taskIds.length === ids.length
  const told = await tellNamed(call.backend, ids.slice(0, MOST_TASKS))
  const left = Math.max(0, ids.length - MOST_TASKS)
  // Of those that are left out nobody knows.
  const areOver = left === 0 && told.tasks.every(({ status }) => status !== 'pending' && status !== 'running')
  return ok({
    done: isDone,
    ...(areOver ? { ok: told.tasks.every(({ status }) => status === 'success') } : {}),
    ...tasksAndNotes(told, told.tasks.length + left, isDone, '', call),
  })
}

const tasksAndNotes = (
  { tasks, isCut }: Told,
  size: number,
  isDone: boolean,
  graphId: string,
  { backend }: Call,
): JsonObject => {
  const left = size - tasks.length
  const rest = graphId === '' ? 'get_task' : 'list_tasks with graph_id and status'
  const again =
    graphId === '' ? `wait with the task_ids, ${MOST_TASKS} at most` : `wait with graph_id ${graphId}`
  return {
    tasks: [...tasks],
    ...withNotes([
      ...(isDone
        ? []
        : backend.isStopping
          ? [`The daemon is shutting down. What is not over goes on when it is up again: call ${again} then.`]
          : [`Not over yet, and goes on: call ${again}.`]),
      ...(left > 0 ? [`${left} more tasks are left out: ${rest} has them.`] : []),
      ...(isCut ? [CUT_NOTE] : []),
    ]),
  }
}

const withNotes = (notes: readonly string[]): JsonObject => (notes.length > 0 ? { notes: [...notes] } : {})
