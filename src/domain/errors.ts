/**
 * Every way in which a request can be refused. One closed set: each wire maps it to its own statuses by a total table.
 */
export type ProblemCode =
  /** The request itself is wrong; the same one will be refused again. */
  | 'invalid'
  /** Nobody knows who asks. */
  | 'unauthenticated'
  /** Known, and not allowed to. */
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'too_large'
  /** The request did not come in time. */
  | 'too_slow'
  /** The state of the thing asked for does not allow it. */
  | 'conflict'
  /** The request contradicts an earlier one of the same name. */
  | 'mismatch'
  /** It was there, and is not any more. */
  | 'gone'
  /** Full for now; try later. */
  | 'overloaded'
  /** Stopping, or the disk refuses. */
  | 'unavailable'
  | 'internal'

/** A refusal: the code for the wire, the message for the person. */
export interface Problem {
  readonly code: ProblemCode
  readonly message: string
}

/** Seconds after which a client may try again where the daemon was full. */
export const BUSY_RETRY_AFTER_S = 1

/** A value, or why there is none. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem }

export const ok = <T>(value: T): Result<T> => ({ ok: true, value })

export const refused = (code: ProblemCode, message: string): { ok: false; problem: Problem } => ({
  ok: false,
  problem: { code, message },
})

export const graphNotFound = (id: string) => refused('not_found', `graph not found: ${id}`)

export const taskNotFound = (id: string) => refused('not_found', `task not found: ${id}`)
