/**
 * A task as JSON text, the way GET answers it and state.json keeps it: absent and empty fields are left out.
 * The parts that are JSON already (params, input, output …) are put in as they are.
 * @see contract A3
 */
import { graphIdOf } from './graph-record.ts'
import { areSame, idsJson, textJson } from './json.ts'
import { type Status, isOver, statusOf } from './lifecycle.ts'
import type { Envelope } from './runtime.ts'
import { DEFAULT_PRIORITY, type Progress, type Task } from './task.ts'
import { rfc3339 } from './time.ts'

/** What a client may see of a task now: an outcome that is not kept yet is not told. */
export const publishedStatus = (task: Task): Status =>
  isOver(task.phase) ? (task.startedMs > 0 ? 'running' : 'pending') : statusOf(task)

/** A task that is not over, as a client may see it now. */
export const liveTaskJson = (task: Task): string => {
  const status = publishedStatus(task)
  return `${head(task)},"status":"${status}"${status === 'running' ? runningPart(task) : attemptPart(task)}${tail(task)}`
}

/** A task that is over, with what it came to. */
export const finishedTaskJson = (task: Task): string =>
  `${FINISHED_START}${textJson(task.id)}${finishedTaskRest(task)}`

/** What comes before the id of a task that is over, as JSON. */
export const FINISHED_START = '{"id":'

let keptRest = { fields: '', ending: '', text: '' }

/** What follows the id of a task that is over. Of neighbours it mostly is the same string. */
export const finishedTaskRest = (task: Task): string => {
  const behindId = fields(task)
  const end = ending(task)
  if (keptRest.fields !== behindId || keptRest.ending !== end) {
    const text = behindId + end
    if (text.length > MOST_KEPT) return text
    keptRest = { fields: behindId, ending: end, text }
  }
  return keptRest.text
}

const head = (task: Task): string => `{"id":${textJson(task.id)}${fields(task)}`

// Neighbours in a graph mostly differ by nothing but their ids: what follows was made for the one before.

/** What of a task's fields the kept text was made of; nothing in it is out of the ordinary. */
interface KeptFields {
  readonly type: string
  readonly toolName: string
  readonly executionCategory: string
  readonly paramsJson: string
  readonly inputJson: string
  readonly annotationsJson: string
  readonly dependsOn: readonly string[]
  readonly text: string
}
let keptFields: KeptFields | null = null

/** Longer texts are not kept. */
const MOST_KEPT = 4096

/** What was submitted, behind the id. */
const fields = (task: Task): string => {
  const { type, toolName, executionCategory, inputJson, annotationsJson, dependsOn } = task
  // An `os` task given only `input` shows it under `params` too, once it ran.
  const paramsJson = task.paramsJson || (type === 'os' && task.startedMs > 0 ? inputJson : '')
  if (hasRareFields(task)) return newFields(task, paramsJson)
  const isKept =
    keptFields !== null &&
    keptFields.type === type &&
    keptFields.toolName === toolName &&
    keptFields.executionCategory === executionCategory &&
    keptFields.paramsJson === paramsJson &&
    keptFields.inputJson === inputJson &&
    keptFields.annotationsJson === annotationsJson &&
    areSame(keptFields.dependsOn, dependsOn)
  if (isKept) return keptFields!.text
  const text = newFields(task, paramsJson)
  if (text.length <= MOST_KEPT)
    keptFields = {
      type,
      toolName,
      executionCategory,
      paramsJson,
      inputJson,
      annotationsJson,
      dependsOn,
      text,
    }
  return text
}

/** Whether a task shows something that most do not. */
export const hasRareFields = (task: Task): boolean =>
  task.retry + task.timeoutMs + task.runAtMs !== 0 ||
  task.priority !== DEFAULT_PRIORITY ||
  task.allowFailure ||
  task.runIf !== 'success' ||
  task.handleId !== '' ||
  task.progress.length > 0

const newFields = (task: Task, paramsJson: string): string => {
  const parts = [`,"type":"${task.type}"`]
  if (paramsJson !== '') parts.push(',"params":', paramsJson)
  if (task.dependsOn.length > 0) parts.push(',"depends_on":', idsJson(task.dependsOn))
  if (task.retry > 0) parts.push(`,"retry":${task.retry}`)
  if (task.timeoutMs > 0) parts.push(`,"timeout":${task.timeoutMs}`)
  if (task.toolName !== '') parts.push(',"tool_name":', textJson(task.toolName))
  if (task.inputJson !== '') parts.push(',"input":', task.inputJson)
  if (task.annotationsJson !== '') parts.push(',"annotations":', task.annotationsJson)
  if (task.priority !== DEFAULT_PRIORITY) parts.push(`,"priority":${task.priority}`)
  if (task.runAtMs > 0) parts.push(`,"run_at":"${new Date(task.runAtMs).toISOString()}"`)
  if (task.allowFailure) parts.push(',"allow_failure":true')
  if (task.runIf !== 'success') parts.push(`,"run_if":"${task.runIf}"`)
  if (task.executionCategory !== '') parts.push(',"execution_category":"os"')
  if (task.handleId !== '') parts.push(`,"handle_id":"${task.handleId}"`)
  if (task.progress.length > 0) parts.push(',"progress":', progressJson(task.progress))
  // In one piece, which is quicker to copy than what `+` makes.
  return parts.join('')
}

/** Of which task and which success the kept text was made. */
interface KeptEnding {
  graphKey: number
  readonly createdMs: number
  readonly updatedMs: number
  readonly attempt: number
  readonly outputJson: string
  readonly detailsJson: string
  readonly startedMs: number
  readonly finishedMs: number
  /** What comes before the graph's id, and behind it: tasks of other graphs have the same. */
  readonly before: string
  readonly behind: string
  text: string
}
let keptEnding: KeptEnding | null = null

/** What a task came to, and the rest. */
const ending = (task: Task): string => {
  const { envelope, updatedMs, createdMs, attempt } = task
  if (envelope === null) return `,"status":"${task.phase}"${errorPart(task)}${attemptPart(task)}${tail(task)}`
  const isOrdinary = task.phase === 'success' && task.handleId === '' && task.error === ''
  if (!isOrdinary) return outcomePart(task, envelope) + tail(task)
  const graphKey = task.graph.key
  const { outputJson, detailsJson, startedMs, finishedMs } = envelope
  const kept = keptEnding
  const isKept =
    kept !== null &&
    kept.updatedMs === updatedMs &&
    kept.startedMs === startedMs &&
    kept.finishedMs === finishedMs &&
    kept.createdMs === createdMs &&
    kept.attempt === attempt &&
    kept.outputJson === outputJson &&
    kept.detailsJson === detailsJson
  if (isKept) {
    if (kept.graphKey === graphKey) return kept.text
    kept.graphKey = graphKey
    kept.text = `${kept.before}${graphIdOf(graphKey)}${kept.behind}`
    return kept.text
  }
  const before = `${outcomePart(task, envelope)}${GRAPH_ID}`
  const behind = timesPart(task)
  const text = `${before}${graphIdOf(graphKey)}${behind}`
  if (text.length <= MOST_KEPT)
    keptEnding = {
      graphKey,
      createdMs,
      updatedMs,
      attempt,
      outputJson,
      detailsJson,
      startedMs,
      finishedMs,
      before,
      behind,
      text,
    }
  return text
}

const outcomePart = (task: Task, envelope: Envelope): string => {
  const { outputJson } = envelope
  return [
    `,"status":"${task.phase}","run_status":"${envelope.status}"`,
    outputJson === '' || outputJson === 'null' ? '' : `,"result":${outputJson}`,
    errorPart(task),
    ',"runtime":',
    runtimeJson(task, envelope),
  ].join('')
}

const GRAPH_ID = ',"graph_id":"'

const timesPart = (task: Task): string =>
  `","created_at":"${rfc3339(task.createdMs)}","updated_at":"${rfc3339(task.updatedMs)}"}`

const tail = (task: Task): string => `${GRAPH_ID}${graphIdOf(task.graph.key)}${timesPart(task)}`

const errorPart = (task: Task): string => (task.error === '' ? '' : `,"error":${JSON.stringify(task.error)}`)

const runningPart = (task: Task): string =>
  `,"run_status":"running","runtime":{"status":"running","started_at":"${rfc3339(task.startedMs)}","attempt":${task.attempt}${handlePart(task)},"details":null}`

/** One that waits, or was skipped, after earlier attempts says how many there were, so that they go on counting. */
const attemptPart = (task: Task): string => (task.attempt > 0 ? `,"runtime":{"attempt":${task.attempt}}` : '')

const handlePart = (task: Task): string => (task.handleId === '' ? '' : `,"handle_id":"${task.handleId}"`)

/** `runtime`: the envelope of a task's last attempt. */
const runtimeJson = (task: Task, envelope: Envelope): string => {
  const durationMs = envelope.finishedMs - envelope.startedMs
  let json = `{"status":"${envelope.status}","output":${envelope.outputJson || 'null'},"started_at":"${rfc3339(envelope.startedMs)}","finished_at":"${rfc3339(envelope.finishedMs)}"`
  if (durationMs > 0) json += `,"duration_ms":${durationMs}`
  json += `,"attempt":${task.attempt}${handlePart(task)},"details":${envelope.detailsJson || 'null'}`
  const error = envelope.error
  if (error !== null) {
    json += `,"error":{"code":"${error.code}","message":${JSON.stringify(error.message)}`
    if (error.retryable) json += ',"retryable":true'
    json += `,"source":"${error.source}"`
    if (error.detailsJson !== '') json += `,"details":${error.detailsJson}`
    json += '}'
  }
  return `${json}}`
}

export const progressJson = (progress: readonly Progress[]): string =>
  `[${progress.map((line) => `{"timestamp":"${rfc3339(line.atMs)}","message":${JSON.stringify(line.message)}}`).join(',')}]`
