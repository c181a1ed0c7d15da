/**
 * The runtime envelope: what one attempt came to.
 * @see contract A3
 */

/** Every code that `runtime.error.code` can hold. */
export const ERROR_CODES = [
  'unknown',
  'invalid_input',
  'launch_failed',
  'timeout',
  'cancelled',
  'memory_limit_exceeded',
  'cpu_limit_exceeded',
  'resource_limit_exceeded',
  'sandbox_setup_failed',
  'exit_nonzero',
  'denied',
  'not_found',
  'external_failure',
  'internal',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** Who reports an error: the tool's executor, or the scheduler around it. */
type ErrorSource = 'executor' | 'scheduler'

/** `runtime.error`. `detailsJson` is JSON text, `''` for none. */
export interface RuntimeError {
  readonly code: ErrorCode
  readonly message: string
  readonly retryable: boolean
  readonly source: ErrorSource
  readonly detailsJson: string
}

/**
 * What an attempt came to. Output and details cross the thread border and reach the disk as JSON text,
 * written once, in the worker; `''` stands for none.
 */
export interface Envelope {
  readonly status: 'success' | 'failed' | 'cancelled'
  readonly outputJson: string
  readonly detailsJson: string
  /** Milliseconds since 1970. */
  readonly startedMs: number
  readonly finishedMs: number
  readonly error: RuntimeError | null
}

/** The envelope's error for an attempt that ran past its time. Words and code as the guide shows them. */
export const timeoutError: RuntimeError = Object.freeze({
  code: 'timeout',
  message: 'context deadline exceeded',
  retryable: true,
  source: 'scheduler',
  detailsJson: '',
})

/** The envelope's error for what somebody cancelled. */
export const cancelledError: RuntimeError = Object.freeze({
  code: 'cancelled',
  message: 'context canceled',
  retryable: false,
  source: 'scheduler',
  detailsJson: '',
})

/** The envelope of a task that was cancelled while no attempt of it ran. */
export const cancelledEnvelope = (startedMs: number, finishedMs: number): Envelope => ({
  status: 'cancelled',
  outputJson: '',
  detailsJson: '',
  startedMs,
  finishedMs,
  error: cancelledError,
})

/** The envelope's error for an attempt whose worker thread was lost under it. */
export const workerLost = (reason: string): RuntimeError => ({
  code: 'internal',
  message: `worker thread lost: ${reason}`,
  retryable: true,
  source: 'scheduler',
  detailsJson: '',
})
