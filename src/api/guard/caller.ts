/** Who makes a request whose need is known only when it has been read: a call of an MCP tool. */
import type { Problem } from '../../domain/errors.ts'
import type { Scope } from './scopes.ts'

export interface Caller {
  /** Why it may not, null where it may. */
  refusal(need: Scope): Problem | null
  /** Tells the audit log what was done, or refused. @param tool that was called */
  note(
    tool: string,
    problem: Problem | null,
    accepted?: { readonly accepted: number; readonly task_ids: readonly string[] },
  ): void
}
