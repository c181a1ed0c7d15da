/** A request's trace id. */
import type { IncomingMessage } from 'node:http'
import { newTraceId } from '../trace.ts'
import { headerOf } from './header.ts'

/** The request's own `X-Trace-ID`, or a new one. */
export const traceIdOf = (incoming: IncomingMessage): string =>
  headerOf(incoming, 'x-trace-id') || newTraceId()
