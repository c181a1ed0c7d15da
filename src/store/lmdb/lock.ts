/**
 * Keeps a second daemon off a data directory. `execgo.lock` names the process that holds it; one whose process is gone,
 * or is another one by now, is no obstacle. A holder in another container cannot be looked at: it touches the file.
 */
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, type ProcessIdentity, thisProcess } from '../../process-identity.ts'

const FILE = 'execgo.lock'
const TOUCH_EVERY_MS = 2000
/** A foreign holder that has not touched its lock for this long is gone. */
const FOREIGN_STALE_MS = 10_000
/** Between taking a stale lock and making sure that nobody else took it too. */
const SETTLE_MS = 60

export interface DataDirLock {
  release(): Promise<void>
}

interface Holder extends ProcessIdentity {
  readonly nonce: string
}

/** @throws when another daemon has the directory; the message names it */
export const lockDataDir = async (dataDir: string): Promise<DataDirLock> => {
  const path = join(dataDir, FILE)
  const mine: Holder = { ...thisProcess(), nonce: crypto.randomUUID() }
  const temporary = `${path}.${mine.nonce}`
  await writeFile(temporary, `${JSON.stringify(mine)}\n`)
  try {
    try {
      await link(temporary, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      await refuseIfHeld(path, dataDir)
      await rename(temporary, path)
      await sleep(SETTLE_MS)
      await refuseIfHeld(path, dataDir, mine)
    }
  } finally {
    await rm(temporary, { force: true })
  }
  const timer = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, TOUCH_EVERY_MS)
  timer.unref()
  return {
    async release() {
      clearInterval(timer)
      const holder = await readHolder(path)
      if (holder?.nonce === mine.nonce) await rm(path, { force: true })
    },
  }
}

const refuseIfHeld = async (path: string, dataDir: string, mine?: Holder): Promise<void> => {
  const holder = await readHolder(path)
  if (holder === null || holder.nonce === mine?.nonce || !(await isThere(holder, path))) return
  const where =
    holder.host === hostname() ? `process ${holder.pid}` : `process ${holder.pid} on ${holder.host}`
  throw new Error(
    `-data-dir: ${dataDir} is in use by ${where} (${path}): stop it first, or give this daemon a directory of its own`,
  )
}

const readHolder = async (path: string): Promise<Holder | null> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder
  } catch {
    return null
  }
}

const isThere = async (holder: Holder, path: string): Promise<boolean> => {
  if (holder.host === hostname()) return isAlive(holder)
  const touched = await stat(path).then(
    (found) => found.mtimeMs,
    () => 0,
  )
  return Date.now() - touched < FOREIGN_STALE_MS
}
