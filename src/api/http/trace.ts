/** A request's trace id, and its W3C trace context. */
import type { IncomingMessage } from 'node:http'
import { traceIdIn, traceparentIn } from '../../domain/trace-context.ts'
import { newTraceId } from '../trace.ts'
import { textOf } from './header.ts'

/** The request's `traceparent`, `''` where it has none, or none that is one. */
export const traceparentOf = (incoming: IncomingMessage): string => {
  const given = textOf(incoming.headers['traceparent'])
  return given === '' ? '' : traceparentIn(given)
}

/** The request's own `X-Trace-ID`, or the id of its trace, or a new one. */
export const traceIdOf = (incoming: IncomingMessage): string =>
  textOf(incoming.headers['x-trace-id']) || traceIdIn(traceparentOf(incoming)) || newTraceId()
