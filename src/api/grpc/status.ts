/** Refusals as gRPC statuses. */
import { Metadata, type StatusObject, status } from '@grpc/grpc-js'
import { BUSY_RETRY_AFTER_S, type Problem, type ProblemCode } from '../../domain/errors.ts'
import { wellFormed } from './text.ts'

/** Every refusal as a status. */
const GRPC_STATUS = {
  invalid: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  not_found: status.NOT_FOUND,
  method_not_allowed: status.UNIMPLEMENTED,
  conflict: status.FAILED_PRECONDITION,
  gone: status.OUT_OF_RANGE,
  mismatch: status.FAILED_PRECONDITION,
  too_large: status.RESOURCE_EXHAUSTED,
  too_slow: status.DEADLINE_EXCEEDED,
  overloaded: status.RESOURCE_EXHAUSTED,
  internal: status.INTERNAL,
  unavailable: status.UNAVAILABLE,
} as const satisfies Record<ProblemCode, number>

/**
 * UTF-16 units of a message. It travels percent-encoded in one header, at up to nine bytes for each, and clients cut the
 * connection at 16 KiB of headers: a message that quotes a long id must not get there.
 */
const MAX_DETAILS_CHARS = 1500

/** @param retryAfterS the seconds for the trailer `retry-after`, 0 for none */
export const statusOf = (
  { code, message }: Problem,
  retryAfterS = code === 'overloaded' ? BUSY_RETRY_AFTER_S : 0,
): StatusObject => ({
  code: GRPC_STATUS[code],
  details: wellFormed(
    message.length > MAX_DETAILS_CHARS ? `${message.slice(0, MAX_DETAILS_CHARS)}…` : message,
  ),
  metadata: trailerOf(retryAfterS),
})

export const trailerOf = (retryAfterS: number): Metadata => {
  const trailer = new Metadata()
  if (retryAfterS > 0) trailer.set('retry-after', String(retryAfterS))
  return trailer
}
