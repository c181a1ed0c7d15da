/**
 * Why a task is where it is, for `GET /tasks/{id}/why`: one that is not over as the scheduler knows it, one that is
 * over by its record.
 * @see contract B6
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { NOT_NEEDED } from '../domain/dependency.ts'
import { ok, type Result, taskNotFound } from '../domain/errors.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Why } from '../scheduler/why.ts'
import type { StoreReader } from '../store/store.ts'

/** What `why` needs of the scheduler. */
export interface WhyUnfinished {
  /** `null` for a task that is over, or that nobody knows. */
  why(id: string): Why | null
}

export interface WhyAnswer {
  readonly id: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly [more: string]: unknown
}

/** Tasks between a skipped one and the root of it that are looked at. */
const LONGEST_CHAIN = 100_000

/** Others have a turn after so many of them. */
const STEPS_PER_TURN = 500

/** What a skipped task says of the dependency that decided it. */
const SKIPPED_BY = /^dependency (.*) (failed|skipped|deleted|allowed|success)$/s

export const whyTask = async (
  id: string,
  scheduler: WhyUnfinished,
  reader: StoreReader,
): Promise<Result<WhyAnswer>> => {
  const why = scheduler.why(id)
  const json = await reader.get(id)
  if (json === null) return taskNotFound(id)
  const record = JSON.parse(json) as JsonObject
  const status = String(record['status'])
  const isOver = status !== 'pending' && status !== 'running'
  return ok({ id, status, ...(isOver ? await whyOver(record, reader) : (why ?? CHANGING)) })
}

/** It was not there a moment ago. */
const CHANGING = { reason: 'pending', message: 'it was accepted a moment ago' }

const whyOver = async (
  record: JsonObject,
  reader: StoreReader,
): Promise<{ reason: string; message: string; [more: string]: unknown }> => {
  const error = typeof record['error'] === 'string' ? record['error'] : ''
  const at = { ended_at: record['updated_at'] }
  switch (record['status']) {
    case 'success':
      return { reason: 'success', message: 'it is over', ...at }
    case 'skipped':
      return { ...(await whySkipped(error, reader)), ...at }
    default:
      return {
        reason: record['run_status'] === 'cancelled' ? 'cancelled' : 'failed',
        message: error,
        ...at,
      }
  }
}

/** Follows the skipped tasks back to the one that was not. */
const whySkipped = async (
  error: string,
  reader: StoreReader,
): Promise<{ reason: string; message: string; [more: string]: unknown }> => {
  if (error === NOT_NEEDED) return { reason: 'not_needed', message: NOT_NEEDED }
  const [because, firstEnd] = decidedBy(error)
  let [id, end] = [because, firstEnd]
  for (let step = 1; step <= LONGEST_CHAIN && end === 'skipped'; step++) {
    if (step % STEPS_PER_TURN === 0) await nextTurn()
    const [next, nextEnd] = decidedBy(await errorOf(id, reader))
    // One that was not needed is the root itself; so is one that runs again by now.
    if (next === '') break
    id = next
    end = nextEnd
  }
  const failure = end === 'failed' ? await errorOf(id, reader) : ''
  const how = end === 'deleted' ? 'was removed' : end === 'skipped' ? 'was skipped' : end
  return {
    reason: 'skipped',
    message: `it was skipped because of ${id}, which ${how}${failure === '' ? '' : `: ${failure}`}`,
    dependency: because,
    root: { id, status: end, ...(failure === '' ? {} : { error: failure }) },
  }
}

/** The error of a task, `''` where it has none or is not there. */
const errorOf = async (id: string, reader: StoreReader): Promise<string> => {
  const json = await reader.get(id)
  const error = json === null ? undefined : (JSON.parse(json) as JsonObject)['error']
  return typeof error === 'string' ? error : ''
}

const decidedBy = (error: string): [id: string, end: string] => {
  const match = SKIPPED_BY.exec(error)
  return match === null ? ['', ''] : [match[1]!, match[2]!]
}
