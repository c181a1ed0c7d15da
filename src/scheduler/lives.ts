/**
 * Carries tasks through their lives: applies events, does what a transition asks for, and gives free slots to those
 * that are ready. A task's phase changes only through {@link transition}.
 *
 * ```
 * begin ─► ready queue ─► tick: slots free? ─► executor
 *              ▲   ▲                              │
 *  dependents  │   │time or retry due             │ outcome
 *  released    └───┴──── end, tell dependents ◄───┘
 *                          └─► outbox, in order
 * ```
 */
import { type DependencyEnd, endOf, NOT_NEEDED, verdictOf } from '../domain/dependency.ts'
import { type Effect, isOver, type LifeEvent, transition } from '../domain/lifecycle.ts'
import { mayRetry, retryDelayMs } from '../domain/retry.ts'
import { cancelledEnvelope, type Envelope } from '../domain/runtime.ts'
import type { Task } from '../domain/task.ts'
import type { Executor } from '../pool/executor.ts'
import type { Assignment } from '../pool/messages.ts'
import { assignmentOf } from './assignment.ts'
import { type Attempt, Attempts, type Slot, type StopCause } from './attempts.ts'
import { Counters } from './counters.ts'
import { STOP_REASONS } from './envelopes.ts'
import type { Outbox } from './outbox.ts'
import { ReadyQueue } from './ready-queue.ts'
import { Successors } from './successors.ts'
import type { Timers } from './timers.ts'
import { Waits } from './waits.ts'

export interface LivesOptions {
  readonly executor: Executor
  readonly outbox: Outbox
  readonly timers: Timers
  readonly slots: number
  /** `os` tools that are over as soon as they begin. */
  readonly instantTools: ReadonlySet<string>
  readonly graceMs: number
  readonly nowMs: () => number
}

/** Attempts of instant tools that share one slot, at most. */
const SHARE_SLOT = 64

export class Lives {
  readonly attempts: Attempts
  readonly counters = new Counters()
  readonly #options: LivesOptions
  /** One that was cancelled there is left in line, and dropped when its turn comes. */
  readonly #ready = new ReadyQueue<Task>((task) => task.phase === 'ready')
  readonly #successors = new Successors()
  readonly #waits: Waits
  /** What goes to the executor at the end of a tick. */
  #batch: Assignment[] = []
  /** The slot that the next attempt of an instant tool may share, while a tick lasts. */
  #shared: Slot | null = null
  /** Over, without success: their dependents are still to be told. */
  #untold: Task[] = []
  #isAwake = false
  /** Tasks taken on that are not over. */
  unfinished = 0
  /** Nothing begins any more. */
  isStopping = false
  /** Told when nothing runs. */
  onIdle: (() => void) | null = null

  constructor(options: LivesOptions) {
    this.#options = options
    this.attempts = new Attempts(options.slots)
    this.#waits = new Waits(options.timers, options.nowMs, (task) => {
      this.apply(task, 'due')
      this.wake()
    })
  }

  /** Takes a task on, which waits for what it waits for. */
  begin(task: Task): void {
    this.counters.accepted(task.type)
    this.#successors.hold(task)
    this.resume(task)
  }

  /** Lets a task that waits for no other go on. */
  resume(task: Task): void {
    this.unfinished++
    if (task.phase === 'ready') this.#ready.push(task)
    else if (task.phase === 'blocked' && task.waitingFor === 0) this.#release(task)
  }

  /** One of the dependencies of `task` is over. */
  dependencyOver(task: Task, id: string, end: DependencyEnd, isBad: boolean): void {
    task.waitingFor--
    if (task.phase !== 'blocked') return
    if (end !== 'success') task.hasFailedDependency = true
    switch (verdictOf(task.runIf, end, task.waitingFor, task.hasFailedDependency)) {
      case 'wait':
        return
      case 'run':
        this.#release(task)
        return
      case 'skip':
        this.#skip(task, `dependency ${id} ${end}`, isBad)
        return
      case 'not-needed':
        this.#skip(task, NOT_NEEDED, false)
        return
    }
  }

  /** The attempt came to this; the task is over, or waits for another. */
  end(task: Task, envelope: Envelope, isFinal: boolean): void {
    if (task.startedMs === 0) this.#begin(task, envelope.startedMs)
    if (envelope.error === null) {
      task.envelope = envelope
      if (task.handleId !== '') this.#noteProgress(task, 'task completed')
      this.counters.succeeded++
      this.apply(task, 'succeed')
      return
    }
    task.failures++
    if (mayRetry(task.retry, task.failures, isFinal)) {
      this.apply(task, 'retry')
      return
    }
    this.#fail(task, envelope, 'fail')
  }

  /** Stops a task: at once where no attempt of it runs. One that is over stays as it is. */
  cancel(task: Task, graceMs: number): void {
    if (isOver(task.phase)) return
    const attempt = task.phase === 'running' ? this.attempts.get(task.ref) : undefined
    if (attempt !== undefined) {
      attempt.isCancelled = true
      this.stopAttempt(attempt, 'cancel', graceMs)
      return
    }
    const isInLine = task.phase === 'ready'
    const nowMs = this.#options.nowMs()
    this.#fail(task, cancelledEnvelope(task.startedMs || nowMs, nowMs), 'cancel')
    if (isInLine) this.#ready.noteDead()
  }

  /** Stops a task whose record was replaced: what has its place begins when its attempt has ended. */
  replace(task: Task, graceMs: number): void {
    this.cancel(task, graceMs)
    if (task.phase === 'running') this.#successors.leave(task)
  }

  /** Stops an attempt; where it is being stopped already, the first cause stands. */
  stopAttempt(attempt: Attempt, cause: StopCause, graceMs: number): void {
    attempt.stopCause ??= cause
    this.#options.executor.abort(attempt.ref, graceMs, STOP_REASONS[attempt.stopCause])
  }

  apply(task: Task, event: LifeEvent): void {
    const step = transition(task.phase, event)
    if (step === null) throw new Error(`task ${task.id}: ${event} cannot happen while it is ${task.phase}`)
    task.phase = step.to
    task.updatedMs = this.#options.nowMs()
    for (const effect of step.effects) this.#perform(effect, task)
  }

  /** Carries what was settled to the dependents, the slots and the store, in that order. */
  settle(): void {
    // One list and no recursion: a chain may be as long as a graph.
    for (let at = 0; at < this.#untold.length; at++) this.#tellDependents(this.#untold[at]!)
    this.#untold = []
    this.tick()
    this.#options.outbox.flush()
    if (this.attempts.running === 0) this.onIdle?.()
  }

  /** Gives free slots to ready tasks. Safe to call at any time. */
  tick(): void {
    this.#isAwake = false
    if (this.isStopping) return
    for (let task = this.#ready.first; task !== undefined; task = this.#ready.first) {
      if (this.attempts.free === 0 && !this.#mayShare(task)) break
      this.#ready.take()
      this.apply(task, 'start')
    }
    this.#shared = null
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#options.outbox.noteStarts()
    this.#options.executor.dispatch(batch)
  }

  /** Lets the next turn begin what can. */
  wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    queueMicrotask(() => this.tick())
  }

  #perform(effect: Effect, task: Task): void {
    switch (effect) {
      case 'enqueue':
        this.#ready.push(task)
        return
      case 'dispatch':
        this.#dispatch(task)
        return
      case 'free-slot':
        this.#freeSlot(task)
        return
      case 'await-retry':
        this.#waits.forDelay(task, retryDelayMs(task.failures))
        return
      case 'await-time':
        this.#waits.untilTime(task)
        return
      case 'stop-waiting':
        this.#waits.stop(task)
        return
      case 'save':
        this.unfinished--
        task.graph.unfinished--
        if (task.graph.unfinished === 0) task.graph.finishedMs = task.updatedMs
        this.#options.outbox.addEnded(task)
        this.#beginNext(task)
        return
      case 'release-dependents':
        this.#tellDependents(task)
        return
      case 'skip-dependents':
        this.#untold.push(task)
        return
    }
  }

  #release(task: Task): void {
    this.apply(task, task.runAtMs > this.#options.nowMs() ? 'defer' : 'release')
  }

  #dispatch(task: Task): void {
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
    // One of an instant tool has begun when it is over: until then it may wait behind others that share its slot.
    if (!isInstant) {
      this.#begin(task, task.updatedMs)
      this.#options.outbox.addStarted(task)
    }
    this.#batch.push(assignmentOf(task, attempt.ref, isInstant))
  }

  #freeSlot(task: Task): void {
    const attempt = this.attempts.get(task.ref)
    if (attempt === undefined || attempt.task !== task) throw new Error(`task ${task.id} holds no slot`)
    if (attempt.deadline !== null) this.#options.timers.remove(attempt.deadline)
    this.attempts.release(attempt)
    task.ref = -1
  }

  /** An attempt of the task has begun. */
  #begin(task: Task, atMs: number): void {
    if (task.startedMs === 0) task.graph.counts.running++
    task.startedMs = atMs
    if (task.handleId !== '') this.#noteProgress(task, 'task started')
  }

  #isInstant(task: Task): boolean {
    return task.type === 'os' && this.#options.instantTools.has(task.toolName)
  }

  #mayShare(task: Task): boolean {
    return this.#shared !== null && this.#shared.holders < SHARE_SLOT && this.#isInstant(task)
  }

  #fail(task: Task, envelope: Envelope, event: 'fail' | 'cancel'): void {
    task.envelope = envelope
    task.error = envelope.error?.message ?? ''
    // Leave to fail is no leave to be cancelled: who depends on it is skipped.
    task.isBad = !task.allowFailure || envelope.status === 'cancelled'
    if (task.handleId !== '') this.#noteProgress(task, 'task failed')
    this.counters.failed++
    this.apply(task, event)
  }

  #skip(task: Task, error: string, isBad: boolean): void {
    task.error = error
    task.isBad = isBad
    this.counters.failed++
    this.apply(task, 'skip')
  }

  #tellDependents(task: Task): void {
    const dependents = task.dependents
    if (dependents === null) return
    task.dependents = null
    const end = endOf(task)
    for (const dependent of dependents) this.dependencyOver(dependent, task.id, end, task.isBad)
  }

  /** What waited for the end of a task whose place it took waits no longer. */
  #beginNext(task: Task): void {
    const next = this.#successors.nextOf(task)
    if (next !== null) this.dependencyOver(next, task.id, 'success', false)
  }

  #noteProgress(task: Task, message: string): void {
    task.progress = [...task.progress, { atMs: this.#options.nowMs(), message }]
  }
}
