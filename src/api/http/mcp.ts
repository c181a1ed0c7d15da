/** `POST /mcp`: a message of the Model Context Protocol. What it says is read by src/api/mcp, which main.ts hands in. */
import type { Problem } from '../../domain/errors.ts'
import type { Limits } from '../../domain/limits.ts'
import type { McpEndpoint } from '../mcp-request.ts'
import { parseJson } from '../schemas.ts'
import { readBody } from './body.ts'
import { HTTP_STATUS } from '../http-status.ts'
import type { HttpContext } from './reply.ts'
import { goneOf } from './waiting-routes.ts'

/** JSON-RPC's codes for what is no JSON, and no request. */
const PARSE_ERROR = -32_700
const INVALID_REQUEST = -32_600

export const replyMcp = async (
  c: HttpContext,
  { bodyBytes, jsonDepth }: Limits,
  mcp: McpEndpoint,
  onFault: (error: unknown, traceId: string) => void,
): Promise<Response> => {
  const { incoming, outgoing, traceId, caller = null } = c.env
  const body = await readBody(incoming, bodyBytes)
  const message = body.ok ? parseJson(body.value, jsonDepth) : body
  if (!message.ok) return refuse(c, body.ok ? PARSE_ERROR : INVALID_REQUEST, message.problem)
  // Many calls in one request would count for one. No revision that is spoken here has them any more.
  if (Array.isArray(message.value))
    return refuse(c, INVALID_REQUEST, { code: 'invalid', message: 'JSON-RPC batches are not taken' })
  const response = await mcp({
    headers: textsOf(incoming.headers),
    body: message.value,
    caller,
    gone: goneOf(outgoing),
    onFault: (error) => onFault(error, traceId),
  })
  response.headers.set('X-Trace-Id', traceId)
  // HTTP/2 has no such header, and HTTP/1.1 says it anyway.
  response.headers.delete('Connection')
  return response
}

const textsOf = (headers: HttpContext['env']['incoming']['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !name.startsWith(':') ? [[name, value]] : [],
    ),
  )

const refuse = (c: HttpContext, code: number, problem: Problem): Response =>
  new Response(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message: problem.message } }), {
    status: HTTP_STATUS[problem.code],
    headers: { 'Content-Type': 'application/json', 'X-Trace-Id': c.env.traceId },
  })
