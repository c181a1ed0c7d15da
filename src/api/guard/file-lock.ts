/**
 * A lock that is a file: who makes it has the lock, and it names that process. One whose process is dead is taken over,
 * by one at a time: to put another in its place takes a lock too, a file named after it, which is taken over likewise.
 *
 * ```
 * auth.json.lock          names A, which is dead
 * auth.json.lock.<of A>   names B, which alone may rename this file to auth.json.lock
 * ```
 *
 * Who comes with an old idea of A makes that file once more, sees that A's lock is not there any more, and removes it.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { isAlive, type ProcessIdentity, thisProcess } from '../../process-identity.ts'

/** Long enough for a hundred others, each of whom waits for the disk. */
const LOCK_WITHIN_MS = 10_000
const TRY_EVERY_MS = 10

interface Holder extends ProcessIdentity {
  /** Of this lock, and of no other. */
  readonly nonce: string
}

/**
 * Does it while nobody else who asks for this lock does anything. Blocks the thread.
 * @throws where others have the lock for that long
 */
export const locked = <T>(lock: string, work: () => T, withinMs = LOCK_WITHIN_MS): T => {
  const mine: Holder = { ...thisProcess(), nonce: randomBytes(8).toString('hex') }
  const draft = `${lock}.${mine.nonce}.new`
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  try {
    writeSynced(draft, `${JSON.stringify(mine)}\n`)
    for (const untilMs = performance.now() + withinMs; !isTaken(lock, draft); ) {
      if (performance.now() > untilMs)
        throw new Error(
          `${lock} is there: another token is being made, or was on another host; then remove it`,
        )
      Atomics.wait(sleeper, 0, 0, TRY_EVERY_MS)
    }
  } finally {
    rmSync(draft, { force: true })
  }
  try {
    return work()
  } finally {
    if (holderIn(lock)?.nonce === mine.nonce) rmSync(lock)
  }
}

/** Whether the draft is the lock now. */
const isTaken = (lock: string, draft: string): boolean => {
  try {
    linkSync(draft, lock)
    return true
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
  const before = holderIn(lock)
  if (before === null || before.host !== thisProcess().host || isAlive(before)) return false
  const successor = `${lock}.${before.nonce}`
  if (!isTaken(successor, draft)) return false
  // It is looked at again: another may have been its successor since.
  if (holderIn(lock)?.nonce === before.nonce) {
    renameSync(successor, lock)
    return true
  }
  rmSync(successor)
  return false
}

/** `null` where there is none, or one that nobody here wrote. */
const holderIn = (lock: string): Holder | null => {
  try {
    const holder = JSON.parse(readFileSync(lock, 'utf8')) as Holder | null
    return /^[0-9a-f]{16}$/.test(String(holder?.nonce)) ? holder : null
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** It is whole when it becomes the lock, after a power cut too. */
const writeSynced = (path: string, text: string): void => {
  const fd = openSync(path, 'wx', 0o600)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const hasCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code
