/**
 * Room on the disk. A transaction that finds none in its midst can break LMDB's memory, and the process with it: it is
 * not begun where it might.
 */
import { statfsSync } from 'node:fs'

/** For the pages on the way to what is written, and whoever else writes to the disk at the same time. */
const SPARE_BYTES = 1024 * 1024

/** @throws where less than `bytes` and something to spare are free on the disk of `dataDir` */
export const ensureRoom = (dataDir: string, bytes: number): void => {
  const free = freeBytes(dataDir)
  const needed = Math.ceil(bytes * 1.25) + SPARE_BYTES
  if (free >= needed) return
  throw new Error(`no space left on the disk of ${dataDir}: ${free} bytes are free, ${needed} are needed`)
}

/** Where the system does not say it, writing will. */
const freeBytes = (dataDir: string): number => {
  try {
    const { bavail, bsize } = statfsSync(dataDir)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
