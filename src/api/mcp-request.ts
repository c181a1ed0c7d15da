/** A message of the Model Context Protocol on its way from the HTTP edge, which knows no more of it, to src/api/mcp. */
import type { Caller } from './guard/caller.ts'

interface McpRequest {
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed, within the limits. */
  readonly body: unknown
  /** Null where nobody is asked who they are. */
  readonly caller: Caller | null
  /** Aborted when the client goes away before it is answered. */
  readonly gone: AbortSignal
  /** Told of a fault of our own. */
  readonly onFault: (error: unknown) => void
}

export type McpEndpoint = (request: McpRequest) => Promise<Response>
