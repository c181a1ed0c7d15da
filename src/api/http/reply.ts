/** Answers: JSON all of them, with the trace id on each. */

import type { Context } from 'hono'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { BUSY_RETRY_AFTER_S, type Problem } from '../../domain/errors.ts'
import type { Caller } from '../guard/caller.ts'
import { HTTP_STATUS } from '../http-status.ts'

/** What a handler gets beside the request. */
export interface Bindings {
  incoming: IncomingMessage
  outgoing: ServerResponse
  traceId: string
  /** The request's path and query as they came. */
  rawUrl: string
  /** What a submission came to, for the audit log. */
  accepted?: { readonly accepted: number; readonly task_ids: readonly string[]; readonly graph_id?: string }
  /** Of a request that is judged by its body; absent where nobody is asked who they are. */
  caller?: Caller
}

export type HttpContext = Context<{ Bindings: Bindings }>

/** A refusal before any route: there is no context yet. */
export const refusal = (traceId: string, problem: Problem): Response =>
  new Response(JSON.stringify({ error: problem.message }), {
    status: HTTP_STATUS[problem.code],
    headers: { 'Content-Type': 'application/json', 'X-Trace-Id': traceId },
  })

/** An answer of JSON text. */
export const reply = (c: HttpContext, status: number, json: string | ReadableStream | null): Response =>
  new Response(json, {
    status,
    headers:
      json === null
        ? { 'X-Trace-Id': c.env.traceId }
        : { 'Content-Type': 'application/json', 'X-Trace-Id': c.env.traceId },
  })

export const replyProblem = (c: HttpContext, problem: Problem): Response => {
  const answer = reply(c, HTTP_STATUS[problem.code], JSON.stringify({ error: problem.message }))
  if (problem.code === 'overloaded') answer.headers.set('Retry-After', String(BUSY_RETRY_AFTER_S))
  return answer
}
