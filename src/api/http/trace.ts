/** A request's trace id. */
import type { IncomingMessage } from 'node:http'
import { newTraceId } from '../trace.ts'

/** The request's own `X-Trace-ID`, or a new one. */
export const traceIdOf = (incoming: IncomingMessage): string => {
  const given = incoming.headers['x-trace-id']
  return typeof given === 'string' && given !== '' ? given : newTraceId()
}
