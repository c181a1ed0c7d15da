/**
 * What crosses between a tool thread and the one that holds the connections to MCP servers, on a port of their own.
 *
 * ```
 * tool ── call id ───► host      one call of a server's tool
 * tool ── cancel id ─► host      nobody waits for it any more
 * tool ◄── progress id ── host
 * tool ◄── result id ──── host
 * ```
 */
import type { JsonObject } from '../../src/domain/json.ts'
import type { ToolResult } from '../tools/tool.ts'

export type ToHost =
  | {
      readonly type: 'call'
      /** Names the call on this port. */
      readonly id: number
      /** `server/tool` or `tool`. */
      readonly toolName: string
      readonly input: JsonObject
      /** W3C trace context, `''` for none. */
      readonly traceparent: string
    }
  | { readonly type: 'cancel'; readonly id: number; readonly reason: string }

export type FromHost =
  | { readonly type: 'progress'; readonly id: number; readonly message: string }
  | { readonly type: 'result'; readonly id: number; readonly result: ToolResult }
