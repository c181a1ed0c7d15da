import { statfs } from 'node:fs/promises'
import { clearTimeout as clearRealTimeout, setTimeout as setRealTimeout } from 'node:timers'

/** What LMDB says when it cannot open or read, in words that tell what to do. */
export const explain = <T>(path: string, open: () => T): T => {
  try {
    return open()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const advice = /ENOSPC|No space/.test(reason)
      ? 'make room on the disk'
      : /EACCES|EPERM|EROFS|Permission|Read-only/i.test(reason)
        ? 'let this user write there'
        : isBadData(error) || /MDB_|damaged|not valid|Unexpected|invalid/i.test(reason)
          ? 'it is damaged: restore the data directory from a backup, or move it away to start empty'
          : 'see the reason'
    throw new Error(`${path} cannot be opened: ${reason}. ${advice[0]!.toUpperCase()}${advice.slice(1)}`, {
      cause: error,
    })
  }
}

/** What reading a record throws that is not as it was written. */
const isBadData = (error: unknown): boolean =>
  error instanceof SyntaxError || error instanceof RangeError || error instanceof TypeError

/** A failed write, as a person can read it: what the disk said. */
export const storeProblem = async (error: unknown, dataDir: string): Promise<Error> => {
  const cause = (error as { commitError?: Promise<unknown> }).commitError
  // The reason may never be told: not waited for without end.
  const told =
    cause === undefined
      ? error
      : await within(
          cause.then(
            () => error,
            (reason: unknown) => reason,
          ),
          error,
          REASON_WITHIN_MS,
        )
  const reason = told instanceof Error ? told.message : String(told)
  // A disk that fills up within a write is told by LMDB as an input/output error.
  const free = await statfs(dataDir).then(
    (disk) => disk.bavail * disk.bsize,
    () => Number.POSITIVE_INFINITY,
  )
  const why = free < FULL_DISK_BYTES ? `no space left on the disk of ${dataDir} (${reason})` : reason
  return new Error(`the store cannot write: ${why}`, { cause: error })
}

const REASON_WITHIN_MS = 50

/** With less than this free a failed write is put down to it. */
const FULL_DISK_BYTES = 1024 * 1024

/** LMDB does not settle every promise of what failed: after this long it is taken as that. */
const SYNC_WITHIN_MS = 30_000

/** What the disk does takes real time, also in tests that mock the time of tasks. @param withinMs for tests of it alone */
export const bounded = (synced: Promise<unknown>, withinMs = SYNC_WITHIN_MS): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const timer = setRealTimeout(
      () => reject(new Error(`the disk did not confirm a write within ${withinMs / 1000} s`)),
      withinMs,
    )
    synced.then(resolve, reject).finally(() => clearRealTimeout(timer))
  })

/** What the promise comes to, or `otherwise` where that takes longer than `ms`. Leaves no timer that keeps a process up. */
export const within = <T, O>(promise: Promise<T>, otherwise: O, ms: number): Promise<T | O> => {
  let timer: NodeJS.Timeout
  const late = new Promise<O>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
