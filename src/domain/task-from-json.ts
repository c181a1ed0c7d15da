/**
 * A kept record back into a task. Takes what the original server wrote too: fields that are missing or of the wrong
 * type are read as absent, since a record that was accepted once is not refused now.
 * @see contract A6
 */
import { type JsonObject, isJsonObject } from './json.ts'
import { newTask } from './new-task.ts'
import { type SubmittedTask, type Task, handleOf } from './task.ts'
import { parseRfc3339 } from './time.ts'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? Math.floor(value) : 0)
const objectText = (value: unknown): string => (isJsonObject(value) ? JSON.stringify(value) : '')

/** The status of a record, `pending` for one that cannot be read. */
export const recordStatus = (record: JsonObject): 'success' | 'failed' | 'skipped' | 'pending' => {
  const status = record['status']
  return status === 'success' || status === 'failed' || status === 'skipped' ? status : 'pending'
}

/** An unfinished record as a task that waits for its turn again: a running one is pending, its attempts go on counting. */
export const unfinishedTask = (id: string, record: JsonObject, key: number, nowMs: number): Task => {
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
  }
  const runtime = record['runtime']
  const createdMs = parseRfc3339(text(record['created_at']))
  return newTask(submitted, {
    key,
    createdMs: Number.isNaN(createdMs) ? nowMs : createdMs,
    handleId: submitted.type === 'mcp' ? text(record['handle_id']) || handleOf(key) : '',
    attempt: isJsonObject(runtime) ? count(runtime['attempt']) : 0,
    executionCategory: record['execution_category'] === 'os' ? 'os' : '',
  })
}
