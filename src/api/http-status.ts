import type { ProblemCode } from '../domain/errors.ts'

/** Every refusal as a status of HTTP. */
export const HTTP_STATUS = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  too_slow: 408,
  conflict: 409,
  gone: 410,
  too_large: 413,
  mismatch: 422,
  overloaded: 429,
  internal: 500,
  unavailable: 503,
} as const satisfies Record<ProblemCode, number>
