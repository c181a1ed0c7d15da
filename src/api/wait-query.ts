/** How long a client wants to wait, as clients say it. */
import * as v from 'valibot'
import { type Result, ok, refused } from '../domain/errors.ts'
import { parse } from './schemas.ts'
import type { WaitFor } from './waiting.ts'

/** The longest wait. */
const MAX_WAIT_MS = 5 * 60_000
export const DEFAULT_WAIT_MS = 30_000
/** Most tasks that one wait may name. */
export const MAX_WAIT_TASKS = 10_000

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

/** `500ms`, `30s`, `5m` in milliseconds. @param name what it is called, for the refusal */
export const waitIn = (text: string, name: string): Result<number> => {
  const match = /^(\d{1,9})(ms|s|m)$/.exec(text)
  if (match === null)
    return refused(
      'invalid',
      `${name} must be a duration like 500ms, 30s or 5m, got ${JSON.stringify(text.slice(0, 40))}`,
    )
  return waitMsIn(Number(match[1]) * UNIT_MS[match[2]!]!, name)
}

/** As {@link waitIn}, of milliseconds. */
export const waitMsIn = (ms: number, name: string): Result<number> =>
  ms >= 0 && ms <= MAX_WAIT_MS ? ok(ms) : refused('invalid', `${name} must be from 0s to 5m`)

/** The body of `POST /tasks/wait`. */
export const WaitSchema = v.pipe(
  v.custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'an object',
  ),
  v.object({
    task_ids: v.nullish(v.array(v.string('a string'), 'an array of strings')),
    graph_id: v.nullish(v.string('a string')),
    mode: v.nullish(v.picklist(['all', 'any'], '"all" or "any"')),
    timeout: v.nullish(v.string('a duration like "30s"')),
  }),
)

/** The parsed body of `POST /tasks/wait`. */
export const parseWait = (value: unknown): Result<WaitFor> => {
  const parsed = parse(WaitSchema, value)
  if (!parsed.ok) return parsed
  const { task_ids, graph_id, mode, timeout } = parsed.value
  const timeoutMs = timeout == null ? ok(DEFAULT_WAIT_MS) : waitIn(timeout, 'timeout')
  if (!timeoutMs.ok) return timeoutMs
  return waitFor(task_ids ?? [], graph_id ?? '', mode ?? 'all', timeoutMs.value)
}

/** Who names tasks names no graph; one that is named several times is waited for once. */
export const waitFor = (
  taskIds: readonly string[],
  graphId: string,
  mode: WaitFor['mode'],
  timeoutMs: number,
): Result<WaitFor> => {
  if (taskIds.length > 0 === (graphId !== ''))
    return refused('invalid', 'either task_ids or graph_id is required')
  if (taskIds.length > MAX_WAIT_TASKS)
    return refused(
      'invalid',
      `task_ids has ${taskIds.length} ids, more than ${MAX_WAIT_TASKS}: name their graph`,
    )
  return ok({ taskIds: graphId === '' ? [...new Set(taskIds)] : null, graphId, mode, timeoutMs })
}
