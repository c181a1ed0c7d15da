/** The id that ties a request to its log lines. */
import { randomFillSync } from 'node:crypto'

// Random bytes are fetched for many ids at once.
const pool = Buffer.alloc(4096)
let at = pool.length

/** 16 random hex digits. */
export const newTraceId = (): string => {
  if (at === pool.length) {
    randomFillSync(pool)
    at = 0
  }
  at += 8
  return pool.toString('hex', at - 8, at)
}
