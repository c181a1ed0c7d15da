import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Outcome } from '../../../src/pool/messages.ts'
import type { StopCause } from '../../../src/scheduler/attempts.ts'
import { STOP_REASONS, envelopeOf, lostEnvelope } from '../../../src/scheduler/envelopes.ts'

const outcome = (given: Partial<Outcome>): Outcome => ({
  ref: 3,
  status: 'success',
  outputJson: '{"ok":true}',
  detailsJson: '{"d":1}',
  startedMs: 5,
  finishedMs: 9,
  ranMs: 0,
  message: '',
  code: 'unknown',
  retryable: false,
  isFinal: false,
  ...given,
})

const CAUSES: readonly (StopCause | null)[] = [null, 'timeout', 'cancel', 'shutdown']

describe('the envelope of an attempt', () => {
  for (const cause of CAUSES) {
    it(`that succeeded is a success, whatever stopped it (${cause})`, () =>
      assert.deepEqual(envelopeOf(outcome({}), cause), {
        status: 'success',
        outputJson: '{"ok":true}',
        detailsJson: '{"d":1}',
        startedMs: 5,
        finishedMs: 9,
        error: null,
      }))

    it(`that failed is what its tool reports (${cause})`, () => {
      const envelope = envelopeOf(
        outcome({ status: 'failed', code: 'external_failure', message: 'no', retryable: true }),
        cause,
      )
      assert.equal(envelope.status, 'failed')
      assert.equal(envelope.outputJson, '{"ok":true}')
      assert.deepEqual(envelope.error, {
        code: 'external_failure',
        message: 'no',
        retryable: true,
        source: 'executor',
        detailsJson: '',
      })
    })
  }

  it('that failed through a fault of ours is from the scheduler', () =>
    assert.equal(
      envelopeOf(outcome({ status: 'failed', code: 'internal', message: 'bug' }), null).error!.source,
      'scheduler',
    ))

  it('that ran out of time', () => {
    const envelope = envelopeOf(outcome({ status: 'aborted' }), 'timeout')
    assert.equal(envelope.status, 'failed')
    assert.equal(envelope.outputJson, '{"ok":true}')
    assert.deepEqual(envelope.error, {
      code: 'timeout',
      message: 'context deadline exceeded',
      retryable: true,
      source: 'scheduler',
      detailsJson: '',
    })
  })

  it('that was cancelled', () => {
    const envelope = envelopeOf(outcome({ status: 'aborted' }), 'cancel')
    assert.equal(envelope.status, 'cancelled')
    assert.deepEqual(envelope.error, {
      code: 'cancelled',
      message: 'context canceled',
      retryable: false,
      source: 'scheduler',
      detailsJson: '',
    })
  })

  for (const cause of ['timeout', 'cancel'] as const) {
    it(`that was stopped (${cause}) says what its tool was doing`, () =>
      assert.equal(
        envelopeOf(outcome({ status: 'aborted', message: 'tcp dial: i/o timeout' }), cause).error!.message,
        'tcp dial: i/o timeout',
      ))
  }

  for (const cause of [null, 'shutdown'] as const) {
    it(`that was lost with its thread (${cause})`, () =>
      assert.deepEqual(lostEnvelope('out of memory', cause, 5, 9), {
        status: 'failed',
        outputJson: '',
        detailsJson: '',
        startedMs: 5,
        finishedMs: 9,
        error: {
          code: 'internal',
          message: 'worker thread lost: out of memory',
          retryable: true,
          source: 'scheduler',
          detailsJson: '',
        },
      }))
  }

  it('that was lost while it was cancelled', () => {
    const { status, error } = lostEnvelope('stuck', 'cancel', 5, 9)
    assert.deepEqual([status, error!.code, error!.message], ['cancelled', 'cancelled', 'context canceled'])
  })

  it('that was lost after it ran out of time: the first cause wins', () =>
    assert.equal(lostEnvelope('stuck', 'timeout', 5, 9).error!.code, 'timeout'))

  it('is stopped with a reason in the words of the guide', () =>
    assert.deepEqual(STOP_REASONS, {
      timeout: 'context deadline exceeded',
      cancel: 'context canceled',
      shutdown: 'context canceled',
    }))
})
