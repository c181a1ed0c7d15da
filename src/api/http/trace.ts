/** The id that ties a request to its log lines. */
import { randomFillSync } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const pool = Buffer.alloc(4096)
let at = pool.length

/** The request's own `X-Trace-ID`, or 16 random hex digits. */
export const traceIdOf = (incoming: IncomingMessage): string => {
  const given = incoming.headers['x-trace-id']
  if (typeof given === 'string' && given !== '') return given
  if (at === pool.length) {
    randomFillSync(pool)
    at = 0
  }
  at += 8
  return pool.toString('hex', at - 8, at)
}
