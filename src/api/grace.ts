/** How long a cancelled command may take to end by itself, as clients say it. */
import { type Result, ok, refused } from '../domain/errors.ts'

const MAX_GRACE_MS = 600_000

/** NaN for what is none. */
export const wholeNumber = (text: string | number): number =>
  typeof text === 'number' ? text : /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN

/** Milliseconds between SIGTERM and SIGKILL; undefined where nothing is said. */
export const graceIn = (given: string | number | null | undefined): Result<number | undefined> => {
  if (given == null) return ok(undefined)
  const graceMs = wholeNumber(given)
  return graceMs >= 0 && graceMs <= MAX_GRACE_MS
    ? ok(graceMs)
    : refused('invalid', `grace_ms must be from 0 to ${MAX_GRACE_MS}`)
}
