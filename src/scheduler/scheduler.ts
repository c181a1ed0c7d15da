/**
 * Decides what runs when. The loop has no thread and no timer of its own: whatever changes something wakes it.
 *
 * ```
 * submit ─► commit ─► ready queue ─► tick: slots free? ─► executor
 *                        ▲   ▲                              │
 *        dependents freed│   │retry due                     │ outcomes
 *                        └───┴──── settle ◄─────────────────┘
 *                                     └─► commit what is over, in order
 * ```
 *
 * One writer: nobody else commits. A task's phase changes only through {@link transition}.
 */
import { type Result, ok, refused } from '../domain/errors.ts'
import type { GraphPlan } from '../domain/graph.ts'
import { type Effect, type LifeEvent, transition } from '../domain/lifecycle.ts'
import { mayRetry, retryDelayMs } from '../domain/retry.ts'
import type { Envelope } from '../domain/runtime.ts'
import { type Task, toolInputJson } from '../domain/task.ts'
import type { Executor, ExecutorEvents } from '../pool/executor.ts'
import type { Assignment, Outcome } from '../pool/messages.ts'
import type { Store } from '../store/store.ts'
import { Keys, acceptPlan } from './accept.ts'
import { type Attempt, Attempts, type StopCause } from './attempts.ts'
import { Counters, type Metrics } from './counters.ts'
import { STOP_REASONS, envelopeOf, lostEnvelope } from './envelopes.ts'
import type { Log } from './log.ts'
import { ReadyQueue } from './ready-queue.ts'
import { relink } from './recover.ts'
import { type Timer, Timers } from './timers.ts'

export interface SchedulerOptions {
  readonly store: Store
  readonly executor: Executor
  /** Attempts that may run at once. */
  readonly slots: number
  /** Between SIGTERM and SIGKILL of a command that is stopped. */
  readonly graceMs: number
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** A clock that never goes back, for delays. */
  readonly monotonicMs: () => number
  readonly log: Log
}

export class Scheduler implements ExecutorEvents {
  readonly #store: Store
  readonly #executor: Executor
  readonly #graceMs: number
  readonly #nowMs: () => number
  readonly #log: Log
  readonly #attempts: Attempts
  readonly #timers: Timers
  readonly #ready = new ReadyQueue<Task>()
  readonly #backoffs = new Map<Task, Timer>()
  readonly #keys = new Keys()
  readonly #counters = new Counters()
  /** What goes to the executor at the end of a tick. */
  #batch: Assignment[] = []
  /** Over, and not handed to the store yet. */
  #ended: Task[] = []
  /** Over without success: their dependents are to be skipped. */
  #skipping: Task[] = []
  #isAwake = false
  #isStopping = false
  /** The stop of all attempts, once it began: each call of stop() waits for it. */
  #attemptsEnded: Promise<void> | null = null
  #onIdle: (() => void) | null = null
  #lastCommit: Promise<void> = Promise.resolve()

  constructor(options: SchedulerOptions) {
    this.#store = options.store
    this.#executor = options.executor
    this.#graceMs = options.graceMs
    this.#nowMs = options.nowMs
    this.#log = options.log
    this.#attempts = new Attempts(options.slots)
    this.#timers = new Timers(options.monotonicMs)
  }

  /** Takes up what an earlier run left unfinished. The store and the executor are started here, in that order. */
  async start(): Promise<void> {
    const recovered = await this.#store.start()
    await this.#executor.start(this)
    const { ready, skip } = relink(recovered)
    for (const { task } of recovered) {
      this.#counters.accepted(task.type)
      this.#keys.passOver(task.key)
    }
    for (const task of ready) this.#ready.push(task)
    for (const { task, error } of skip) this.#skip(task, error)
    if (recovered.length > 0) this.#log.info({ tasks: recovered.length }, 'unfinished tasks scheduled again')
    this.#afterSettling()
  }

  /**
   * Stops: nothing new begins; what runs may end by itself within `timeoutMs` and is killed then, to run again at the
   * next start. Ends the executor and the store too.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true
    this.#attemptsEnded ??= this.#endAttempts(timeoutMs)
    await this.#attemptsEnded
    await this.#lastCommit
    await this.#store.stop()
  }

  async #endAttempts(timeoutMs: number): Promise<void> {
    await this.#idleWithin(timeoutMs)
    for (const attempt of this.#attempts.held()) this.#stopAttempt(attempt, 'shutdown', 0)
    await this.#idleWithin(SHUTDOWN_KILL_MS)
    this.#timers.stop()
    await this.#executor.stop()
  }

  /** Accepts a graph: when this resolves, it is kept, and will run. */
  async submit(plan: GraphPlan): Promise<Result<readonly Task[]>> {
    if (this.#isStopping)
      return refused('unavailable', 'the daemon is shutting down: submit again after its restart')
    const tasks = acceptPlan(plan, this.#keys, this.#nowMs())
    await this.#store.commit({ accepted: tasks })
    for (const task of tasks) {
      this.#counters.accepted(task.type)
      if (task.phase === 'ready') this.#ready.push(task)
    }
    this.#wake()
    return ok(tasks)
  }

  /** Removes a record. What is under way goes on, and its outcome is dropped. False where there is none. */
  async remove(id: string): Promise<boolean> {
    if (!(await this.#store.has(id))) return false
    await this.#store.commit({ removed: [id] })
    return true
  }

  metrics(): Metrics {
    this.#counters.running = this.#attempts.running
    return this.#counters.snapshot()
  }

  /** Gives free slots to ready tasks. Safe to call at any time. */
  tick(): void {
    this.#isAwake = false
    if (this.#isStopping) return
    while (this.#attempts.free > 0 && this.#ready.size > 0) this.#apply(this.#ready.take()!, 'start')
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#executor.dispatch(batch)
  }

  onOutcomes(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      const attempt = this.#attempts.get(outcome.ref)
      if (attempt === undefined) continue
      const { task, stopCause } = attempt
      if (outcome.status === 'aborted' && stopCause === 'shutdown') this.#apply(task, 'requeue')
      else this.#end(task, envelopeOf(outcome, stopCause), outcome.isFinal)
    }
    this.#afterSettling()
  }

  onProgress(ref: number, atMs: number, message: string): void {
    const task = this.#attempts.get(ref)?.task
    if (task === undefined) return
    task.progress = [...task.progress.slice(-MAX_PROGRESS_LINES), { atMs, message }]
    task.updatedMs = atMs
  }

  onLost(refs: readonly number[], culprit: number, reason: string): void {
    this.#log.error({ reason, attempts: refs.length }, 'a worker thread was lost')
    for (const ref of refs) {
      const attempt = this.#attempts.get(ref)
      if (attempt === undefined) continue
      const { task, stopCause } = attempt
      // Where another attempt blocked the thread, this one lost it through no fault of its own.
      if (stopCause === 'shutdown' || (culprit >= 0 && ref !== culprit)) this.#apply(task, 'requeue')
      else this.#end(task, lostEnvelope(reason, stopCause, task.startedMs, this.#nowMs()), false)
    }
    this.#afterSettling()
  }

  // ── one task ──────────────────────────────────────────────────────────────────────────────────────────────────

  #apply(task: Task, event: LifeEvent): void {
    const step = transition(task.phase, event)
    if (step === null) throw new Error(`task ${task.id}: ${event} cannot happen while it is ${task.phase}`)
    task.phase = step.to
    task.updatedMs = this.#nowMs()
    for (const effect of step.effects) this.#perform(effect, task)
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
        this.#awaitRetry(task)
        return
      case 'save':
        this.#ended.push(task)
        return
      case 'release-dependents':
        this.#releaseDependents(task)
        return
      case 'skip-dependents':
        this.#skipping.push(task)
        return
    }
  }

  #dispatch(task: Task): void {
    const attempt = this.#attempts.take(task)
    task.slot = attempt.ref
    task.attempt++
    task.startedMs = task.updatedMs
    if (task.timeoutMs > 0) {
      attempt.deadline = this.#timers.add(task.timeoutMs, () =>
        this.#stopAttempt(attempt, 'timeout', this.#graceMs),
      )
    }
    if (task.handleId !== '') this.#noteProgress(task, 'task started')
    this.#batch.push({
      ref: attempt.ref,
      taskId: task.id,
      category: task.type,
      toolName: task.toolName,
      inputJson: toolInputJson(task),
      attempt: task.attempt,
      handleId: task.handleId,
    })
  }

  #freeSlot(task: Task): void {
    const attempt = this.#attempts.get(task.slot)
    if (attempt === undefined || attempt.task !== task) throw new Error(`task ${task.id} holds no slot`)
    if (attempt.deadline !== null) this.#timers.remove(attempt.deadline)
    this.#attempts.release(attempt)
    task.slot = -1
  }

  #awaitRetry(task: Task): void {
    const timer = this.#timers.add(retryDelayMs(task.failures), () => {
      this.#backoffs.delete(task)
      this.#apply(task, 'due')
      this.#wake()
    })
    this.#backoffs.set(task, timer)
  }

  /** The attempt came to this; the task is over, or waits for another. */
  #end(task: Task, envelope: Envelope, isFinal: boolean): void {
    if (envelope.error === null) {
      task.envelope = envelope
      if (task.handleId !== '') this.#noteProgress(task, 'task completed')
      this.#counters.succeeded++
      this.#apply(task, 'succeed')
      return
    }
    task.failures++
    if (mayRetry(task.retry, task.failures, isFinal)) {
      this.#apply(task, 'retry')
      return
    }
    task.envelope = envelope
    task.error = envelope.error.message
    if (task.handleId !== '') this.#noteProgress(task, 'task failed')
    this.#counters.failed++
    this.#apply(task, 'fail')
  }

  #skip(task: Task, error: string): void {
    task.error = error
    this.#counters.failed++
    this.#apply(task, 'skip')
  }

  #releaseDependents(task: Task): void {
    const dependents = task.dependents
    if (dependents === null) return
    task.dependents = null
    for (const dependent of dependents) {
      dependent.waitingFor--
      if (dependent.waitingFor === 0 && dependent.phase === 'blocked') this.#apply(dependent, 'release')
    }
  }

  #noteProgress(task: Task, message: string): void {
    task.progress = [...task.progress, { atMs: this.#nowMs(), message }]
  }

  /** Stops an attempt; where it is being stopped already, the first cause stands. */
  #stopAttempt(attempt: Attempt, cause: StopCause, graceMs: number): void {
    attempt.stopCause ??= cause
    this.#executor.abort(attempt.ref, graceMs, STOP_REASONS[attempt.stopCause])
  }

  // ── all of them ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Carries what was settled to the dependents, the slots and the store, in that order. */
  #afterSettling(): void {
    // One list and no recursion: a chain may be as long as a graph.
    for (let at = 0; at < this.#skipping.length; at++) {
      const source = this.#skipping[at]!
      const dependents = source.dependents ?? []
      source.dependents = null
      for (const task of dependents) {
        if (task.phase === 'blocked') this.#skip(task, `dependency ${source.id} ${source.phase}`)
      }
    }
    this.#skipping = []
    this.tick()
    this.#commitEnded()
    if (this.#attempts.running === 0) this.#onIdle?.()
  }

  #commitEnded(): void {
    if (this.#ended.length === 0) return
    const ended = this.#ended
    this.#ended = []
    this.#lastCommit = this.#store.commit({ ended }).catch((error: unknown) => {
      this.#log.error({ err: error, tasks: ended.length }, 'outcomes could not be kept')
    })
  }

  #wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    queueMicrotask(() => this.tick())
  }

  /** Resolves when nothing runs, or after `timeoutMs`. */
  async #idleWithin(timeoutMs: number): Promise<void> {
    if (this.#attempts.running === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#onIdle = null
  }
}

/** How long killed attempts may take to be reported at a stop. */
const SHUTDOWN_KILL_MS = 2000

/** Lines of progress that a task keeps, beside its last. */
const MAX_PROGRESS_LINES = 99
