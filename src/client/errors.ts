/**
 * What can go wrong, by class: `catch (error) { if (error instanceof NotFoundError) … }`. Each class spells its name out,
 * as what packs code for browsers renames classes.
 */

/** Of anything that a client throws, but for an abort, which is the signal's own reason. */
export class ExecgoError extends Error {
  override readonly name: string = 'ExecgoError'
}

/** The daemon refused. The message is the daemon's. */
export class RefusedError extends ExecgoError {
  override readonly name: string = 'RefusedError'
  readonly status: number
  /** Finds the request in the daemon's log; `''` where it gave none. */
  readonly traceId: string
  /** When to try again, where the daemon said so. */
  readonly retryAfterMs: number | null

  constructor(message: string, status: number, traceId: string, retryAfterMs: number | null) {
    super(message)
    this.status = status
    this.traceId = traceId
    this.retryAfterMs = retryAfterMs
  }
}

/** 400: the request is wrong. */
export class InvalidError extends RefusedError {
  override readonly name = 'InvalidError'
}
/** 401 or 403: no token, or one that may not. */
export class DeniedError extends RefusedError {
  override readonly name = 'DeniedError'
}
/** 404 */
export class NotFoundError extends RefusedError {
  override readonly name = 'NotFoundError'
}
/** 409: ids exist already, or the task is over. */
export class ConflictError extends RefusedError {
  override readonly name = 'ConflictError'
}
/** 410: the history of events does not reach back so far. */
export class GoneError extends RefusedError {
  override readonly name = 'GoneError'
}
/** 429: full, or too many requests; it was tried again already. */
export class OverloadedError extends RefusedError {
  override readonly name = 'OverloadedError'
}
/** 503: stopping, or its disk refuses; it was tried again already. */
export class UnavailableError extends RefusedError {
  override readonly name = 'UnavailableError'
}

/** No answer came, also after it was tried again. `cause` is what fetch threw. */
export class ConnectionError extends ExecgoError {
  override readonly name = 'ConnectionError'
}

const CLASSES: Readonly<Record<number, typeof RefusedError>> = {
  400: InvalidError,
  401: DeniedError,
  403: DeniedError,
  404: NotFoundError,
  409: ConflictError,
  410: GoneError,
  429: OverloadedError,
  503: UnavailableError,
}

/** The error that an answer says. */
export const refusalOf = async (response: Response): Promise<RefusedError> => {
  const text = await response.text().catch(() => '')
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : null
  const message = messageIn(text) || `the daemon answered ${response.status}`
  return refusedError(message, response.status, response.headers.get('x-trace-id') ?? '', retryAfterMs)
}

/** Of the class that the status has. */
export const refusedError = (
  message: string,
  status: number,
  traceId = '',
  retryAfterMs: number | null = null,
): RefusedError => new (CLASSES[status] ?? RefusedError)(message, status, traceId, retryAfterMs)

const messageIn = (text: string): string => {
  try {
    const { error } = JSON.parse(text) as { error?: unknown }
    return typeof error === 'string' ? error : ''
  } catch {
    return text.slice(0, 200)
  }
}
