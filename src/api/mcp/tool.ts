/** What a tool is, whatever wire it is called over. */
import type { JsonObject } from '../../domain/json.ts'
import type { Result } from '../../domain/errors.ts'
import type { Scope } from '../guard/scopes.ts'
import type { Accepted, Backend } from './backend.ts'
import type { ObjectSchema } from './schemas.ts'

/** One call of a tool, and who makes it. */
export interface Call {
  readonly backend: Backend
  /** The caller has cancelled the call, or is gone. */
  readonly signal: AbortSignal
  /** Whether it was cancelled, rather than that the connection broke. */
  isCancelled(): boolean
  /** Null where nobody asked to be told. `done` must grow. */
  readonly progress: ((done: number, total: number, message: string) => void) | null
  /** W3C trace context, `''` for none. */
  readonly traceparent: string
  /** A graph was accepted: to be told at once, whatever becomes of the call. */
  onAccepted(accepted: Accepted): void
  /** What was accepted is stopped, as the call was cancelled. */
  onCancelled(accepted: Accepted): void
}

export interface Tool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: ObjectSchema
  readonly outputSchema: ObjectSchema
  readonly annotations: {
    readonly readOnlyHint: boolean
    readonly destructiveHint?: boolean
    readonly idempotentHint?: boolean
    readonly openWorldHint: boolean
  }
  /** A token needs all of them. */
  readonly needs: readonly Scope[]
  /** @returns what `outputSchema` says */
  readonly run: (input: JsonObject, call: Call) => Promise<Result<JsonObject>>
}
