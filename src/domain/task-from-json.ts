/**
 * A kept record back into a task. Takes what the original server wrote too: fields that are missing or of the wrong
 * type are read as absent, since a record that was accepted once is not refused now.
 * @see contract A6
 */
import type { DependencyEnd } from './dependency.ts'
import { type Graph, newGraph } from './graph-record.ts'
import { type JsonObject, isJsonObject } from './json.ts'
import { newTask } from './new-task.ts'
import {
  DEFAULT_PRIORITY,
  HIGHEST_PRIORITY,
  RUN_IFS,
  type RunIf,
  type SubmittedTask,
  type Task,
  handleOf,
} from './task.ts'
import { parseRfc3339 } from './time.ts'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const count = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0
const priorityOf = (value: unknown): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= HIGHEST_PRIORITY
    ? value
    : DEFAULT_PRIORITY
const runIfOf = (value: unknown): RunIf => RUN_IFS.find((runIf) => runIf === value) ?? 'success'
/** NaN, of a time that cannot be read, becomes 0. */
const timeOf = (value: unknown): number => parseRfc3339(text(value)) || 0
const objectText = (value: unknown): string => (isJsonObject(value) ? JSON.stringify(value) : '')

/** The status of a record, `pending` for one that cannot be read. */
export const recordStatus = (record: JsonObject): 'success' | 'failed' | 'skipped' | 'pending' => {
  const status = record['status']
  return status === 'success' || status === 'failed' || status === 'skipped' ? status : 'pending'
}

/** How the task of a record's text, which is over, ended. One that was cancelled had no leave to. */
export const recordEnd = (json: string): DependencyEnd => endOfRecord(JSON.parse(json) as JsonObject)

export const endOfRecord = (record: JsonObject): DependencyEnd => {
  const status = recordStatus(record)
  if (status === 'pending') throw new Error('the record is of a task that is not over')
  const isAllowed = record['allow_failure'] === true && record['run_status'] !== 'cancelled'
  return status === 'failed' && isAllowed ? 'allowed' : status
}

/**
 * An unfinished record as a task that waits for its turn again: a running one is pending, its attempts go on counting.
 * Without a graph it gets one of its own.
 */
export const unfinishedTask = (
  id: string,
  record: JsonObject,
  key: number,
  nowMs: number,
  graph?: Graph,
): Task => {
  const submitted: SubmittedTask = {
    id,
    type: text(record['type']),
    paramsJson: objectText(record['params']),
    inputJson: objectText(record['input']),
    annotationsJson: objectText(record['annotations']),
    dependsOn: Array.isArray(record['depends_on'])
      ? record['depends_on'].filter((dependency) => typeof dependency === 'string')
      : [],
    retry: count(record['retry']),
    timeoutMs: count(record['timeout']),
    toolName: text(record['tool_name']),
    priority: priorityOf(record['priority']),
    runAtMs: timeOf(record['run_at']),
    delayMs: 0,
    allowFailure: record['allow_failure'] === true,
    runIf: runIfOf(record['run_if']),
  }
  const runtime = record['runtime']
  const createdMs = timeOf(record['created_at']) || nowMs
  return newTask(submitted, {
    key,
    graph: graph ?? newGraph(key, 1, createdMs, false),
    createdMs,
    handleId: submitted.type === 'mcp' ? text(record['handle_id']) || handleOf(key) : '',
    attempt: isJsonObject(runtime) ? count(runtime['attempt']) : 0,
    executionCategory: record['execution_category'] === 'os' ? 'os' : '',
  })
}
