/**
 * The life of a task, as one table: phase × event → next phase and what has to happen.
 *
 * ```
 *           release            start             succeed
 * blocked ───────────► ready ─────────► running ─────────► success
 *  │ │ │               ▲ ▲ ▲              │ │ │ fail
 *  │ │ │ defer     due │ │ └── requeue ───┘ │ └──────────► failed
 *  │ │ └──► delayed ───┘ │                  │ retry
 *  │ │ skip          due └──── backoff ◄────┘
 *  │ └────► skipped
 *  └ cancel, as from ready, delayed and backoff ─────────► failed
 *
 * failed, skipped ── revive ──► blocked
 * ```
 *
 * A client sees five statuses: a task that is not over is `pending` before its first attempt, `running` from then on.
 * @see contract A3, A4
 */

export const PHASES = [
  /** Waits for what it depends on. */
  'blocked',
  /** Waits for the time before which it must not run. */
  'delayed',
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
  /** What it depends on lets it run. */
  'release',
  /** As `release`, before its time. */
  'defer',
  /** What it depends on does not let it run. */
  'skip',
  /** A slot is free. */
  'start',
  /** The time of the next attempt, or of the first, has come. */
  'due',
  'succeed',
  /** The attempt failed and none follows. */
  'fail',
  /** The attempt failed and another follows. */
  'retry',
  /** The attempt was lost through no fault of its own, or before it began. */
  'requeue',
  /** Somebody wants it stopped. A running one is stopped by the executor, and ends by `fail`. */
  'cancel',
  /** It is to run again after all. */
  'revive',
] as const
export type LifeEvent = (typeof EVENTS)[number]

/** What the scheduler does on a transition, in this order. */
export type Effect =
  | 'enqueue'
  | 'dispatch'
  | 'await-retry'
  | 'await-time'
  | 'stop-waiting'
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
    defer: to('delayed', 'await-time'),
    skip: to('skipped', 'save', 'skip-dependents'),
    cancel: to('failed', 'save', 'skip-dependents'),
  },
  delayed: {
    due: to('ready', 'enqueue'),
    cancel: to('failed', 'stop-waiting', 'save', 'skip-dependents'),
  },
  ready: {
    start: to('running', 'dispatch'),
    // It leaves the queue when its turn comes.
    cancel: to('failed', 'save', 'skip-dependents'),
  },
  running: {
    succeed: to('success', 'free-slot', 'save', 'release-dependents'),
    fail: to('failed', 'free-slot', 'save', 'skip-dependents'),
    retry: to('backoff', 'free-slot', 'await-retry'),
    requeue: to('ready', 'free-slot', 'enqueue'),
  },
  backoff: {
    due: to('ready', 'enqueue'),
    cancel: to('failed', 'stop-waiting', 'save', 'skip-dependents'),
  },
  success: {},
  failed: { revive: to('blocked') },
  skipped: { revive: to('blocked') },
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
    case 'delayed':
    case 'ready':
    case 'running':
    case 'backoff':
      return task.startedMs > 0 ? 'running' : 'pending'
  }
}

/** Whether a task in `phase` is over, until somebody revives it. */
export const isOver = (phase: Phase): boolean =>
  phase === 'success' || phase === 'failed' || phase === 'skipped'
