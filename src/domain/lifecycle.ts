/**
 * The life of a task, as one table: phase × event → next phase and what has to happen.
 *
 * ```
 *           release            start             succeed
 * blocked ───────────► ready ─────────► running ─────────► success
 *    │                   ▲ ▲              │ │ │ fail
 *    │                   │ └── requeue ───┘ │ └──────────► failed
 *    │ skip          due │                  │ retry
 *    ▼                   └──── backoff ◄────┘
 * skipped
 * ```
 *
 * A client sees five statuses: a task that is not over is `pending` before its first attempt, `running` from then on.
 * @see contract A3, A4
 */

export const PHASES = [
  /** Waits for what it depends on. */
  'blocked',
  /** Waits for a slot. */
  'ready',
  /** An attempt holds a slot. */
  'running',
  /** Waits for the time of its next attempt; holds no slot. */
  'backoff',
  'success',
  'failed',
  'skipped',
] as const
export type Phase = (typeof PHASES)[number]

export const EVENTS = [
  /** The last task that it depends on succeeded. */
  'release',
  /** A task that it depends on failed, was skipped or deleted. */
  'skip',
  /** A slot is free. */
  'start',
  /** The time of the next attempt has come. */
  'due',
  'succeed',
  /** The attempt failed and none follows. */
  'fail',
  /** The attempt failed and another follows. */
  'retry',
  /** The attempt was lost through no fault of its own, or before it began. */
  'requeue',
] as const
export type LifeEvent = (typeof EVENTS)[number]

/** What the scheduler does on a transition, in this order. */
export type Effect =
  | 'enqueue'
  | 'dispatch'
  | 'await-retry'
  | 'free-slot'
  | 'save'
  | 'release-dependents'
  | 'skip-dependents'

export interface Transition {
  readonly to: Phase
  readonly effects: readonly Effect[]
}

const to = (phase: Phase, ...effects: Effect[]): Transition =>
  Object.freeze({ to: phase, effects: Object.freeze(effects) })

/** What is not in the table cannot happen. */
const TABLE: Readonly<Record<Phase, Readonly<Partial<Record<LifeEvent, Transition>>>>> = {
  blocked: {
    release: to('ready', 'enqueue'),
    skip: to('skipped', 'save', 'skip-dependents'),
  },
  ready: {
    start: to('running', 'dispatch'),
  },
  running: {
    succeed: to('success', 'free-slot', 'save', 'release-dependents'),
    fail: to('failed', 'free-slot', 'save', 'skip-dependents'),
    retry: to('backoff', 'free-slot', 'await-retry'),
    requeue: to('ready', 'free-slot', 'enqueue'),
  },
  backoff: {
    due: to('ready', 'enqueue'),
  },
  success: {},
  failed: {},
  skipped: {},
}

/** The transition that `event` makes in `phase`, or `null` where it means nothing there. */
export const transition = (phase: Phase, event: LifeEvent): Transition | null => TABLE[phase][event] ?? null

/** The five statuses of the wire. */
export const STATUSES = ['pending', 'running', 'success', 'failed', 'skipped'] as const
export type Status = (typeof STATUSES)[number]

/** The status of a task. One that began shows `running` until it is over, also while it waits for its next attempt. */
export const statusOf = (task: { readonly phase: Phase; readonly startedMs: number }): Status => {
  switch (task.phase) {
    case 'success':
    case 'failed':
    case 'skipped':
      return task.phase
    case 'blocked':
    case 'ready':
    case 'running':
    case 'backoff':
      return task.startedMs > 0 ? 'running' : 'pending'
  }
}

/** Whether a task in `phase` is over for good. */
export const isOver = (phase: Phase): boolean =>
  phase === 'success' || phase === 'failed' || phase === 'skipped'
