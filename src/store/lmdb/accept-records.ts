/**
 * What an acceptance writes: one part a graph, JSON text, many parts in one record. A part goes on being read only
 * until its tasks are over; what they came to is in batches (see heads.ts).
 *
 * A task is an array, in the order of {@link EncodedTask}; `params` and `input` are put in as the text they came as.
 * One that differs from the task before it by nothing but its id is an array of that alone.
 */
import type { DependencyEnd } from '../../domain/dependency.ts'
import type { Graph } from '../../domain/graph-record.ts'
import { areSame, idsJson, type Json, type JsonObject, textJson } from '../../domain/json.ts'
import { newTask } from '../../domain/new-task.ts'
import { hasRareFields } from '../../domain/task-json.ts'
import { DEFAULT_PRIORITY, type RunIf, type SubmittedTask, type Task } from '../../domain/task.ts'

/** `input` is the same text as `params`. */
const SAME = 1
const NONE = 0

/** Where a part is written to, piece by piece. */
interface TextSink {
  write(text: string): void
}

/** Writes a part: `keys` follow the graph's first one, unless `isRevival`, where they are named. */
export const writePart = (sink: TextSink, graph: Graph, tasks: readonly Task[], isRevival: boolean): void => {
  sink.write(`{"g":${graph.key},"n":${graph.size},"at":${graph.createdMs}${graph.isRelaxed ? ',"r":1' : ''}`)
  if (graph.traceparent !== '') sink.write(`,"tp":"${graph.traceparent}"`)
  if (isRevival) sink.write(`,"k":[${tasks.map((task) => task.key).join(',')}]`)
  sink.write(',"t":[')
  // The first of some that are alike: all of them are plain.
  let first: Task | null = null
  for (let at = 0; at < tasks.length; at++) {
    const task = tasks[at]!
    const plain = isPlain(task, graph)
    if (at > 0) sink.write(',')
    if (plain && first !== null && isLike(task, first)) sink.write(`[${textJson(task.id)}]`)
    else {
      sink.write(encodeTask(task, plain))
      first = plain ? task : null
    }
  }
  sink.write(']}')
}

/** Whether two plain tasks differ by nothing but their ids. */
const isLike = (task: Task, other: Task): boolean =>
  task.type === other.type &&
  task.toolName === other.toolName &&
  task.executionCategory === other.executionCategory &&
  task.paramsJson === other.paramsJson &&
  task.inputJson === other.inputJson &&
  task.annotationsJson === other.annotationsJson &&
  areSame(task.dependsOn, other.dependsOn)

const encodeTask = (task: Task, plain: boolean): string =>
  `[${textJson(task.id)},"${task.type}",${textJson(task.toolName)},${task.executionCategory === '' ? 0 : 1},${
    task.paramsJson || NONE
  },${task.inputJson === '' ? NONE : task.inputJson === task.paramsJson ? SAME : task.inputJson},${
    task.annotationsJson || NONE
  },${idsJson(task.dependsOn)}${plain ? '' : rest(task)}]`

/** Whether the rest of a task's fields are what most tasks have: it is left out then. */
const isPlain = (task: Task, graph: Graph): boolean =>
  !hasRareFields(task) &&
  task.attempt + task.failures === 0 &&
  task.outside === null &&
  task.createdMs === graph.createdMs

const rest = (task: Task): string =>
  `,${task.retry},${task.timeoutMs},${task.priority},${task.runAtMs},${task.allowFailure ? 1 : 0},"${task.runIf}",${
    task.attempt
  },${task.failures},"${task.handleId}",${task.createdMs}${
    task.outside === null ? '' : `,${JSON.stringify([...task.outside])}`
  }`

type EncodedTask = [
  id: string,
  type: string,
  toolName: string,
  isOs: 0 | 1,
  params: JsonObject | 0,
  input: JsonObject | 0 | 1,
  annotations: JsonObject | 0,
  dependsOn: string[],
  // The rest, or nothing of it:
  retry?: number,
  timeoutMs?: number,
  priority?: number,
  runAtMs?: number,
  allowFailure?: 0 | 1,
  runIf?: RunIf,
  attempt?: number,
  failures?: number,
  handleId?: string,
  createdMs?: number,
  outside?: [id: string, what: number | DependencyEnd][],
]

/** A part as it was read. */
export interface AcceptPart {
  readonly g: number
  readonly n: number
  readonly at: number
  readonly r?: 1
  readonly tp?: string
  readonly k?: readonly number[]
  readonly t: readonly EncodedTask[]
}

export const decodeParts = (record: string): readonly AcceptPart[] => {
  const parts = JSON.parse(record) as AcceptPart[]
  for (const { t } of parts) {
    let first: EncodedTask | null = null
    for (const task of t as (EncodedTask | [string])[]) {
      if (task.length > 1) first = task as EncodedTask
      else (task as unknown[]).push(...first!.slice(1))
    }
  }
  return parts
}

/** The key of the task at a place in a part. */
export const keyInPart = (part: AcceptPart, place: number): number => part.k?.[place] ?? part.g + place

/** The task at a place in a part, as one that waits for its turn again. */
export const decodeTask = (part: AcceptPart, place: number, graph: Graph): Task => {
  const [
    id,
    type,
    toolName,
    isOs,
    params,
    input,
    annotations,
    dependsOn,
    retry = 0,
    timeoutMs = 0,
    priority = DEFAULT_PRIORITY,
    runAtMs = 0,
    allowFailure = 0,
    runIf = 'success',
    attempt = 0,
    failures = 0,
    handleId = '',
    createdMs = part.at,
    outside,
  ] = part.t[place]!
  const paramsJson = textOf(params)
  const submitted: SubmittedTask = {
    id,
    type,
    paramsJson,
    inputJson: input === SAME ? paramsJson : textOf(input),
    annotationsJson: textOf(annotations),
    dependsOn,
    retry,
    timeoutMs,
    toolName,
    priority,
    runAtMs,
    delayMs: 0,
    allowFailure: allowFailure === 1,
    runIf,
  }
  const task = newTask(submitted, {
    key: keyInPart(part, place),
    createdMs,
    handleId,
    attempt,
    executionCategory: isOs === 1 ? 'os' : '',
    graph,
  })
  task.failures = failures
  if (outside !== undefined) task.outside = new Map(outside)
  return task
}

const textOf = (value: Json): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : ''
