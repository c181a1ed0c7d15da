/** What an attempt came to, seen by the scheduler: the tool's outcome, or why the scheduler stopped it. */
import {
  type Envelope,
  type RuntimeError,
  cancelledError,
  timeoutError,
  workerLost,
} from '../domain/runtime.ts'
import type { Outcome } from '../pool/messages.ts'
import type { StopCause } from './attempts.ts'

/** The reasons that a stopped tool is given, in the guide's words. */
export const STOP_REASONS: Readonly<Record<StopCause, string>> = {
  timeout: 'context deadline exceeded',
  cancel: 'context canceled',
  shutdown: 'context canceled',
}

/** The envelope of an attempt that its thread reported. */
export const envelopeOf = (outcome: Outcome, stopCause: StopCause | null): Envelope =>
  outcome.status === 'success' ? successEnvelope(outcome) : newEnvelope(outcome, stopCause)

/** The last one: attempts that succeed together, with the same output, share it. */
let lastSuccess: Envelope | null = null

const successEnvelope = (outcome: Outcome): Envelope => {
  const isLast =
    lastSuccess !== null &&
    lastSuccess.outputJson === outcome.outputJson &&
    lastSuccess.detailsJson === outcome.detailsJson &&
    lastSuccess.startedMs === outcome.startedMs &&
    lastSuccess.finishedMs === outcome.finishedMs
  if (isLast) return lastSuccess!
  const envelope = newEnvelope(outcome, null)
  lastSuccess = outcome.outputJson.length + outcome.detailsJson.length > MOST_KEPT ? null : envelope
  return envelope
}

const MOST_KEPT = 4096

const newEnvelope = (outcome: Outcome, stopCause: StopCause | null): Envelope => ({
  status: outcome.status === 'aborted' ? (stopCause === 'cancel' ? 'cancelled' : 'failed') : outcome.status,
  outputJson: outcome.outputJson,
  detailsJson:
    outcome.status === 'aborted' ? stoppedDetails(outcome.detailsJson, stopCause) : outcome.detailsJson,
  startedMs: outcome.startedMs,
  finishedMs: outcome.finishedMs,
  error: errorOf(outcome, stopCause),
})

/** Who ended a command, beside what its tool tells of its end. A tool that tells nothing has no details. */
export const stoppedDetails = (detailsJson: string, stopCause: StopCause | null): string =>
  detailsJson === '' || stopCause === null
    ? detailsJson
    : `${detailsJson.slice(0, -1)}${detailsJson === '{}' ? '' : ','}"terminated_by":"${TERMINATED_BY[stopCause]}"}`

const TERMINATED_BY: Readonly<Record<StopCause, string>> = {
  timeout: 'timeout',
  cancel: 'user',
  shutdown: 'shutdown',
}

const errorOf = (outcome: Outcome, stopCause: StopCause | null): RuntimeError | null => {
  switch (outcome.status) {
    case 'success':
      return null
    case 'failed':
      return {
        code: outcome.code,
        message: outcome.message,
        retryable: outcome.retryable,
        source: outcome.code === 'internal' ? 'scheduler' : 'executor',
        detailsJson: '',
      }
    case 'aborted':
      // A tool that names what it was doing says more than the bare reason.
      return stopCause === 'cancel'
        ? { ...cancelledError, message: outcome.message || cancelledError.message }
        : { ...timeoutError, message: outcome.message || timeoutError.message }
  }
}

/** The envelope of an attempt that was lost with its thread. */
export const lostEnvelope = (
  reason: string,
  stopCause: StopCause | null,
  startedMs: number,
  finishedMs: number,
): Envelope => ({
  status: stopCause === 'cancel' ? 'cancelled' : 'failed',
  outputJson: '',
  detailsJson: '',
  startedMs,
  finishedMs,
  error:
    stopCause === 'timeout' ? timeoutError : stopCause === 'cancel' ? cancelledError : workerLost(reason),
})
