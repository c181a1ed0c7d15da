/**
 * Gives free slots to the tasks that are ready, and hands their attempts to the executor, all of one tick at once.
 *
 * ```
 * enqueue ─► ready queue ─► tick: slots free? ─► start ─► giveSlot ─► executor
 *                                                            ▲
 *                                            freeSlot ───────┘
 * ```
 */
import type { Task } from '../domain/task.ts'
import type { Dispatched, Executor } from '../pool/executor.ts'
import { assignmentOf } from './assignment.ts'
import { type Attempt, Attempts, type Slot, type StopCause } from './attempts.ts'
import { STOP_REASONS } from './envelopes.ts'
import { NO_OBSERVER, type Observer } from './observer.ts'
import type { Outbox } from './outbox.ts'
import { ReadyQueue } from './ready-queue.ts'
import type { Timers } from './timers.ts'

export interface DispatcherOptions {
  readonly executor: Executor
  readonly outbox: Outbox
  readonly timers: Timers
  readonly slots: number
  /** `os` tools that are over as soon as they begin. */
  readonly instantTools: ReadonlySet<string>
  /** Between SIGTERM and SIGKILL of an attempt whose time is over. */
  readonly graceMs: number
  readonly observer?: Observer
}

/** Attempts of instant tools that share one slot, at most. */
const SHARE_SLOT = 64

export class Dispatcher {
  readonly attempts: Attempts
  readonly #options: DispatcherOptions
  readonly #start: (task: Task) => void
  readonly #observer: Observer
  /** One that was cancelled there is left in line, and dropped when its turn comes. */
  readonly #ready = new ReadyQueue<Task>((task) => task.phase === 'ready')
  /** What goes to the executor at the end of a tick. */
  #batch: Dispatched[] = []
  /** The slot that the next attempt of an instant tool may share, while a tick lasts. */
  #shared: Slot | null = null
  #isAwake = false
  /** Nothing begins any more. */
  isStopping = false

  /** @param start begins the life of an attempt, which asks for a slot by {@link giveSlot} */
  constructor(options: DispatcherOptions, start: (task: Task) => void) {
    this.#options = options
    this.#start = start
    this.#observer = options.observer ?? NO_OBSERVER
    this.attempts = new Attempts(options.slots)
  }

  enqueue(task: Task): void {
    this.#ready.push(task)
    task.isInLine = true
    this.#observer.ready(task)
  }

  /** Tasks in line for a slot. */
  get ready(): number {
    return this.#ready.alive
  }

  /** The place of a task in line, from 1; 0 where it is not. */
  placeOf(task: Task): number {
    return this.#ready.placeOf(task)
  }

  /** A task is over. One that was in line is left there, until its turn comes. */
  noteDead(task: Task): void {
    if (!task.isInLine) return
    task.isInLine = false
    this.#ready.noteDead()
  }

  /** Gives free slots to ready tasks. Safe to call at any time. */
  tick(): void {
    this.#isAwake = false
    if (this.isStopping) return
    for (let task = this.#ready.first; task !== undefined; task = this.#ready.first) {
      if (this.attempts.free === 0 && !this.#mayShare(task)) break
      this.#ready.take()
      task.isInLine = false
      const readyMs = task.updatedMs
      this.#start(task)
      this.#observer.started(task, readyMs)
    }
    this.#shared = null
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#options.outbox.noteStarts()
    this.#options.executor.dispatch(batch)
  }

  /** Begins what can, unless that is due: what is settled and what is accepted in one turn goes together. */
  goOn(): void {
    if (!this.#isAwake) this.tick()
  }

  /** Lets the next turn begin what can: who submitted has the answer first, and what comes in one turn goes together. */
  wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    setImmediate(() => this.tick())
  }

  /** Makes the task's next attempt. @returns whether it is one of those that may share their slot */
  giveSlot(task: Task): 'own' | 'shared' {
    const isInstant = this.#isInstant(task)
    const attempt = this.#mayShare(task) ? this.attempts.share(task, this.#shared!) : this.attempts.take(task)
    this.#shared = isInstant ? attempt.slot : null
    task.ref = attempt.ref
    task.attempt++
    if (task.timeoutMs > 0) {
      attempt.deadline = this.#options.timers.add(task.timeoutMs, () =>
        this.stopAttempt(attempt, 'timeout', this.#options.graceMs),
      )
    }
    this.#batch.push(assignmentOf(task, attempt.ref, isInstant))
    return isInstant ? 'shared' : 'own'
  }

  freeSlot(task: Task): void {
    const attempt = this.#attemptOf(task)
    if (attempt.deadline !== null) this.#options.timers.remove(attempt.deadline)
    this.attempts.release(attempt)
    task.ref = -1
  }

  /** Stops the attempt of a running task; no other follows. */
  cancel(task: Task, graceMs: number): void {
    const attempt = this.#attemptOf(task)
    attempt.isCancelled = true
    this.stopAttempt(attempt, 'cancel', graceMs)
  }

  /** Stops an attempt; where it is being stopped already, the first cause stands. */
  stopAttempt(attempt: Attempt, cause: StopCause, graceMs: number): void {
    attempt.stopCause ??= cause
    this.#options.executor.abort(attempt.ref, graceMs, STOP_REASONS[attempt.stopCause])
  }

  #attemptOf(task: Task): Attempt {
    const attempt = this.attempts.get(task.ref)
    if (attempt === undefined || attempt.task !== task) throw new Error(`task ${task.id} holds no slot`)
    return attempt
  }

  #isInstant(task: Task): boolean {
    return task.type === 'os' && this.#options.instantTools.has(task.toolName)
  }

  #mayShare(task: Task): boolean {
    return this.#shared !== null && this.#shared.holders < SHARE_SLOT && this.#isInstant(task)
  }
}
