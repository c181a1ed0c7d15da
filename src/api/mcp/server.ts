/**
 * An MCP server of the tools, made anew for each request over HTTP and once for a connection over stdio. It holds nothing
 * but what the call under way needs, and speaks both kinds of revisions: 2026-07-28, where each request says all about
 * itself, and those before, which begin with `initialize`.
 *
 * This is the package's plain Server: its McpServer would convert the schemas for each request, and say in zod's words
 * what is wrong with a graph.
 */
import {
  type CallToolResult,
  type McpServerFactory,
  ProtocolError,
  ProtocolErrorCode,
  SdkError,
  SdkErrorCode,
  Server,
  type ServerContext,
  type Tool as ListedTool,
} from '@modelcontextprotocol/server'
import { type Result, refused } from '../../domain/errors.ts'
import { type JsonObject, isJsonObject } from '../../domain/json.ts'
import { traceparentIn } from '../../domain/trace-context.ts'
import type { Caller } from '../guard/caller.ts'
import { isNoted } from '../guard/scopes.ts'
import type { Backend } from './backend.ts'
import { refusalText } from './refusal.ts'
import type { Call, Tool } from './tool.ts'
import { INSTRUCTIONS, TOOLS } from './tools.ts'

export interface McpServerOptions {
  readonly backend: Backend
  /** Without the `v`. */
  readonly version: string
  /** Null where whoever is behind the backend asks who it is. */
  readonly caller: Caller | null
  /** Whether a connection that closes before the answer says that the call is cancelled. */
  readonly isGoneCancelled: (era: 'legacy' | 'modern') => boolean
  /** Told of a fault of our own. */
  readonly onFault: (error: unknown) => void
}

const LISTED: readonly ListedTool[] = TOOLS.map(({ needs: _needs, run: _run, ...tool }) => tool)

/** The tools are the same for everybody, until the daemon is another version. */
const CACHE = { ttlMs: 300_000, cacheScope: 'public' } as const

export const serverFactory =
  (options: McpServerOptions): McpServerFactory =>
  ({ era }) => {
    const server = new Server(
      { name: 'execgo', title: 'execgo', version: options.version },
      {
        capabilities: { tools: {} },
        instructions: INSTRUCTIONS,
        cacheHints: { 'tools/list': CACHE, 'server/discover': CACHE },
      },
    )
    server.setRequestHandler('tools/list', () => ({ tools: [...LISTED] }))
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      const tool = TOOLS.find(({ name }) => name === params.name)
      if (tool === undefined)
        throw new ProtocolError(
          ProtocolErrorCode.InvalidParams,
          `no such tool: ${JSON.stringify(params.name)} (there are: ${TOOLS.map(({ name }) => name).join(', ')})`,
        )
      const input = params.arguments ?? {}
      const result = await callTool(tool, input as JsonObject, era, context, options)
      return server.projectCallToolResult(result, tool.outputSchema)
    })
    return server
  }

const callTool = async (
  tool: Tool,
  input: JsonObject,
  era: 'legacy' | 'modern',
  context: ServerContext,
  options: McpServerOptions,
): Promise<CallToolResult> => {
  const { caller, backend } = options
  for (const need of tool.needs) {
    const problem = caller?.refusal(need) ?? null
    if (problem === null) continue
    caller?.note(tool.name, problem)
    return { content: [{ type: 'text', text: refusalText(problem) }], isError: true }
  }
  const { signal } = context.mcpReq
  let hasNoted = !tool.needs.some(isNoted)
  const call: Call = {
    backend,
    signal,
    isCancelled: () => signal.aborted && (options.isGoneCancelled(era) || !isConnectionClosed(signal.reason)),
    progress: progressOf(context),
    traceparent: traceparentOf(context),
    onAccepted(accepted) {
      hasNoted = true
      caller?.note(tool.name, null, accepted)
    },
    onCancelled: (accepted) => caller?.note(`${tool.name} (cancelled)`, null, accepted),
  }
  const outcome = await attempt(tool, input, call, options.onFault)
  if (!hasNoted) caller?.note(tool.name, outcome.ok ? null : outcome.problem)
  return outcome.ok
    ? {
        content: [{ type: 'text', text: JSON.stringify(outcome.value) }],
        structuredContent: outcome.value,
      }
    : { content: [{ type: 'text', text: refusalText(outcome.problem) }], isError: true }
}

const attempt = async (
  tool: Tool,
  input: JsonObject,
  call: Call,
  onFault: (error: unknown) => void,
): Promise<Result<JsonObject>> => {
  if (!isJsonObject(input)) return refused('invalid', 'the arguments must be an object')
  try {
    return await tool.run(input, call)
  } catch (error) {
    onFault(error)
    return refused('internal', 'internal error')
  }
}

const isConnectionClosed = (reason: unknown): boolean =>
  reason instanceof SdkError && reason.code === SdkErrorCode.ConnectionClosed

const progressOf = ({ mcpReq }: ServerContext): Call['progress'] => {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return null
  return (progress, total, message) => {
    const params = { progressToken, progress, total, message }
    // Who is gone need not be told.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
  }
}

/** In the request's `_meta`, or over HTTP in a header. */
const traceparentOf = ({ mcpReq, http }: ServerContext): string => {
  const given = mcpReq._meta?.['traceparent'] ?? http?.req?.headers.get('traceparent')
  return typeof given === 'string' ? traceparentIn(given) : ''
}
