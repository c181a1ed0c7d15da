/**
 * A task as JSON text, the way GET answers it and state.json keeps it: absent and empty fields are left out.
 * The parts that are JSON already (params, input, output …) are put in as they are.
 * @see contract A3
 */
import { graphIdOf } from './graph-record.ts'
import { idsJson } from './json.ts'
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
export const finishedTaskJson = (task: Task): string => {
  const envelope = task.envelope
  return envelope === null
    ? `${head(task)},"status":"${task.phase}"${errorPart(task)}${attemptPart(task)}${tail(task)}`
    : `${head(task)},"status":"${task.phase}","run_status":"${envelope.status}"${
        envelope.outputJson === '' || envelope.outputJson === 'null' ? '' : `,"result":${envelope.outputJson}`
      }${errorPart(task)},"runtime":${runtimeJson(task, envelope)}${tail(task)}`
}

const head = (task: Task): string => {
  // An `os` task given only `input` shows it under `params` too, once it ran.
  const params = task.paramsJson || (task.type === 'os' && task.startedMs > 0 ? task.inputJson : '')
  let json = `{"id":${JSON.stringify(task.id)},"type":"${task.type}"`
  if (params !== '') json += `,"params":${params}`
  if (task.dependsOn.length > 0) json += `,"depends_on":${idsJson(task.dependsOn)}`
  if (task.retry > 0) json += `,"retry":${task.retry}`
  if (task.timeoutMs > 0) json += `,"timeout":${task.timeoutMs}`
  if (task.toolName !== '') json += `,"tool_name":${JSON.stringify(task.toolName)}`
  if (task.inputJson !== '') json += `,"input":${task.inputJson}`
  if (task.annotationsJson !== '') json += `,"annotations":${task.annotationsJson}`
  if (task.priority !== DEFAULT_PRIORITY) json += `,"priority":${task.priority}`
  if (task.runAtMs > 0) json += `,"run_at":"${new Date(task.runAtMs).toISOString()}"`
  if (task.allowFailure) json += ',"allow_failure":true'
  if (task.runIf !== 'success') json += `,"run_if":"${task.runIf}"`
  if (task.executionCategory !== '') json += `,"execution_category":"os"`
  if (task.handleId !== '') json += `,"handle_id":"${task.handleId}"`
  if (task.progress.length > 0) json += `,"progress":${progressJson(task.progress)}`
  return json
}

const tail = (task: Task): string =>
  `,"graph_id":"${graphIdOf(task.graph.key)}","created_at":"${rfc3339(task.createdMs)}","updated_at":"${rfc3339(task.updatedMs)}"}`

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
