/**
 * What a tool is. A tool reads its input, does its work, and returns what came of it as a value; it throws only
 * where an invariant of its own broke (the runner turns that into an `internal` failure).
 */
import type { Json, JsonObject } from '../../src/domain/json.ts'
import type { ErrorCode } from '../../src/domain/runtime.ts'
import type { WorkerSettings } from '../../src/pool/messages.ts'
import type { McpCalls } from '../mcp/calls.ts'
import type { ProcessStarter } from '../process/starter.ts'

/** What a tool knows of the attempt that it runs. */
export interface ToolContext {
  readonly taskId: string
  readonly graphId: string
  /** The task's `tool_name`, `''` for none. */
  readonly toolName: string
  /** The input as it came: JSON text, `''` where the task has neither `params` nor `input`. */
  readonly inputJson: string
  /** From 1. */
  readonly attempt: number
  /** W3C trace context of who submitted it, `''` for none: for what the tool calls. */
  readonly traceparent: string
  readonly settings: WorkerSettings
  readonly starter: ProcessStarter
  /** Calls MCP servers; null where none is configured. */
  readonly mcp: McpCalls | null
  /**
   * Aborted at a timeout, a cancel and a stop; made when first asked for. Its reason is text that a message may
   * end with: `context deadline exceeded`.
   */
  readonly signal: AbortSignal
  /** Whether the signal is aborted. */
  readonly isAborted: boolean
  /** Milliseconds between SIGTERM and SIGKILL; known once the signal is aborted. */
  readonly graceMs: number
  /** Calls back when the signal is aborted, or at once where it is; for those to whom making it costs too much. */
  onAbort(listener: () => void): void
  /** Adds a line to the task's progress. */
  progress(message: string): void
}

/** How an attempt ended, seen from the tool. Of an aborted one only a failure's output and details count. */
export type ToolResult =
  | { readonly ok: true; readonly output: Json; readonly details?: JsonObject }
  | {
      readonly ok: false
      readonly message: string
      readonly output?: Json
      readonly details?: JsonObject
      /** `external_failure` by default. */
      readonly code?: ErrorCode
      /** A refusal that trying again cannot change. */
      readonly isFinal: boolean
    }

export interface Tool {
  readonly name: string
  /** `input` is `{}` for a task that has none, or whose input is null. */
  run(input: JsonObject, context: ToolContext): ToolResult | Promise<ToolResult>
}

/** A success with this output. */
export const done = (output: Json, details?: JsonObject): ToolResult =>
  details === undefined ? { ok: true, output } : { ok: true, output, details }

/** A failure that another attempt might not meet. */
export const fail = (message: string, rest: { output?: Json; details?: JsonObject } = {}): ToolResult => ({
  ok: false,
  message,
  isFinal: false,
  ...rest,
})

/** A refusal that another attempt cannot change: bad input, not on the allow list. */
export const refuse = (message: string): ToolResult => ({ ok: false, message, isFinal: true })

/** A failure which, after an abort, says more than the abort's reason: what was under way. */
export const failDuring = (message: string, { signal }: ToolContext): ToolResult =>
  signal.aborted ? { ok: false, message, code: 'cancelled', isFinal: false } : fail(message)

/** A refusal by the daemon's own rules, which only the contract's part B knows. */
export const deny = (message: string): ToolResult => ({ ok: false, message, code: 'denied', isFinal: true })
