import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  EVENTS,
  type LifeEvent,
  PHASES,
  type Phase,
  STATUSES,
  isOver,
  statusOf,
  transition,
} from '../../../src/domain/lifecycle.ts'

const RELEASE = ['ready', 'enqueue']
const SKIP = ['skipped', 'save', 'skip-dependents']
const START = ['running', 'dispatch']
const SUCCEED = ['success', 'free-slot', 'save', 'release-dependents']
const FAIL = ['failed', 'free-slot', 'save', 'skip-dependents']
const RETRY = ['backoff', 'free-slot', 'await-retry']
const REQUEUE = ['ready', 'free-slot', 'enqueue']
const DUE = ['ready', 'enqueue']
const DEFER = ['delayed', 'await-time']
const CANCEL = ['failed', 'save', 'skip-dependents']
const STOP_WAITING = ['failed', 'stop-waiting', 'save', 'skip-dependents']
const REVIVE = ['blocked']
const none = null

/** Every phase × every event: where it leads and what has to happen, `none` where it means nothing. */
const EXPECTED: Readonly<Record<Phase, Readonly<Record<LifeEvent, readonly string[] | null>>>> = {
  blocked: {
    release: RELEASE,
    skip: SKIP,
    start: none,
    due: none,
    succeed: none,
    fail: none,
    retry: none,
    requeue: none,
    defer: DEFER,
    cancel: CANCEL,
    revive: none,
  },
  ready: {
    release: none,
    skip: none,
    start: START,
    due: none,
    succeed: none,
    fail: none,
    retry: none,
    requeue: none,
    defer: none,
    cancel: CANCEL,
    revive: none,
  },
  delayed: {
    release: none,
    skip: none,
    start: none,
    due: DUE,
    succeed: none,
    fail: none,
    retry: none,
    requeue: none,
    defer: none,
    cancel: STOP_WAITING,
    revive: none,
  },
  running: {
    release: none,
    skip: none,
    start: none,
    due: none,
    succeed: SUCCEED,
    fail: FAIL,
    retry: RETRY,
    requeue: REQUEUE,
    defer: none,
    cancel: none,
    revive: none,
  },
  backoff: {
    release: none,
    skip: none,
    start: none,
    due: DUE,
    succeed: none,
    fail: none,
    retry: none,
    requeue: none,
    defer: none,
    cancel: STOP_WAITING,
    revive: none,
  },
  success: {
    release: none,
    skip: none,
    start: none,
    due: none,
    succeed: none,
    fail: none,
    retry: none,
    requeue: none,
    defer: none,
    cancel: none,
    revive: none,
  },
  failed: {
    release: none,
    skip: none,
    start: none,
    due: none,
    succeed: none,
    fail: none,
    retry: none,
    requeue: none,
    defer: none,
    cancel: none,
    revive: REVIVE,
  },
  skipped: {
    release: none,
    skip: none,
    start: none,
    due: none,
    succeed: none,
    fail: none,
    retry: none,
    requeue: none,
    defer: none,
    cancel: none,
    revive: REVIVE,
  },
}

describe('the life of a task', () => {
  for (const phase of PHASES) {
    for (const event of EVENTS) {
      const expected = EXPECTED[phase][event]
      it(`${phase} × ${event} → ${expected?.[0] ?? 'nothing'}`, () => {
        const step = transition(phase, event)
        assert.deepEqual(step === null ? null : [step.to, ...step.effects], expected)
      })
    }
  }

  it('ends exactly in the phases that are over, until it is revived', () => {
    for (const phase of PHASES) {
      assert.equal(
        isOver(phase),
        EVENTS.every((event) => event === 'revive' || transition(phase, event) === null),
        phase,
      )
    }
  })

  it('takes a slot on the way into running, and frees it on every way out', () => {
    for (const phase of PHASES) {
      for (const event of EVENTS) {
        const step = transition(phase, event)
        if (step === null) continue
        assert.equal(step.effects.includes('dispatch'), step.to === 'running')
        assert.equal(step.effects.includes('free-slot'), phase === 'running')
        assert.equal(step.effects.includes('save'), isOver(step.to))
        assert.equal(step.effects.includes('enqueue'), step.to === 'ready')
      }
    }
  })

  it('cannot be changed by who reads it', () => {
    const step = transition('ready', 'start')!
    assert.ok(Object.isFrozen(step) && Object.isFrozen(step.effects))
    assert.equal(transition('ready', 'start'), step)
  })
})

describe('the status that a client sees', () => {
  const TABLE: Readonly<Record<Phase, readonly [before: string, after: string]>> = {
    blocked: ['pending', 'running'],
    delayed: ['pending', 'running'],
    ready: ['pending', 'running'],
    running: ['pending', 'running'],
    backoff: ['pending', 'running'],
    success: ['success', 'success'],
    failed: ['failed', 'failed'],
    skipped: ['skipped', 'skipped'],
  }
  for (const phase of PHASES) {
    it(`${phase}: ${TABLE[phase].join(' before its first attempt, then ')}`, () => {
      assert.deepEqual([statusOf({ phase, startedMs: 0 }), statusOf({ phase, startedMs: 1 })], TABLE[phase])
    })
  }

  it('is one of five', () =>
    assert.deepEqual([...STATUSES], ['pending', 'running', 'success', 'failed', 'skipped']))
})
