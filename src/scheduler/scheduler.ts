/**
 * Decides what runs when. The loop has no thread and no timer of its own: whatever changes something wakes it.
 *
 * ```
 * submit ─► commit ─► lives ◄─────► executor        submit.ts · lives.ts · dispatcher.ts
 * cancel, retry ───────►│ what is over, in order    cancel.ts · graphs.ts
 *                       └─► outbox ─► commit        outbox.ts
 * ```
 *
 * One writer: nobody else commits.
 */
import { type Result, ok, refused, taskNotFound } from '../domain/errors.ts'
import type { Graph } from '../domain/graph-record.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Envelope } from '../domain/runtime.ts'
import type { Task } from '../domain/task.ts'
import type { Executor, ExecutorEvents } from '../pool/executor.ts'
import type { Outcome } from '../pool/messages.ts'
import type { Store } from '../store/store.ts'
import { Keys } from './accept.ts'
import { cancelGraph, cancelTask } from './cancel.ts'
import type { Attempt } from './attempts.ts'
import type { Metrics } from './counters.ts'
import { envelopeOf, lostEnvelope, stoppedDetails } from './envelopes.ts'
import type { Gauges } from './gauges.ts'
import { Graphs } from './graphs.ts'
import { Lives } from './lives.ts'
import { type Log, namesOf } from './log.ts'
import type { Observer } from './observer.ts'
import { Outbox, reasonOf } from './outbox.ts'
import { relink } from './recover.ts'
import { type Accepted, type Submission, Submissions } from './submit.ts'
import { Timers } from './timers.ts'
import { type Why, whyUnfinished } from './why.ts'

export interface SchedulerOptions {
  readonly store: Store
  readonly executor: Executor
  /** Attempts that may run at once. */
  readonly slots: number
  /** Tasks that may be accepted and not over; graphs beyond are refused. */
  readonly maxUnfinished: number
  /** `os` tools that are over as soon as they begin: many of their attempts may share a slot. */
  readonly instantTools: ReadonlySet<string>
  /** Between SIGTERM and SIGKILL of a command that is stopped. */
  readonly graceMs: number
  /** While attempts are under way, outcomes of so many milliseconds may share a commit; 0 by default. */
  readonly gatherMs?: number
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** A clock that never goes back, for delays. */
  readonly monotonicMs: () => number
  readonly log: Log
  readonly observer?: Observer
}

export class Scheduler implements ExecutorEvents {
  readonly #options: SchedulerOptions
  readonly #timers: Timers
  readonly #outbox: Outbox
  readonly #lives: Lives
  readonly #graphs: Graphs
  #submissions: Submissions
  readonly #removed = new WeakMap<Graph, Task[]>()
  /** The stop of all attempts, once it began: each call of stop() waits for it. */
  #attemptsEnded: Promise<void> | null = null

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#timers = new Timers(options.monotonicMs)
    const gathering = {
      gatherMs: options.gatherMs ?? 0,
      isBusy: () => this.#attempts.running > 0,
      monotonicMs: options.monotonicMs,
    }
    this.#outbox = new Outbox(options.store, this.#timers, options.log, gathering, options.observer)
    this.#lives = new Lives({ ...options, outbox: this.#outbox, timers: this.#timers })
    this.#graphs = new Graphs({ ...options, lives: this.#lives })
    this.#submissions = new Submissions({ ...options, lives: this.#lives }, new Keys())
  }

  /** Takes up what an earlier run left unfinished. The store and the executor are started here, in that order. */
  async start(): Promise<void> {
    const { store, executor, log } = this.#options
    const { unfinished, lastKey } = await store.start()
    this.#submissions = new Submissions({ ...this.#options, lives: this.#lives }, new Keys(lastKey))
    await executor.start(this)
    for (const { task, settled } of relink(unfinished, () => null)) {
      this.#lives.begin(task)
      for (const [id, end] of settled) this.#lives.dependencyOver(task, id, end, true)
    }
    if (unfinished.length > 0) log.info({ tasks: unfinished.length }, 'unfinished tasks scheduled again')
    this.#lives.settle()
  }

  /**
   * Stops: nothing new begins; what runs may end by itself within `timeoutMs` and is killed then, to run again at the
   * next start. Ends the executor and the store too.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#lives.dispatcher.isStopping = true
    this.#attemptsEnded ??= this.#endAttempts(timeoutMs)
    await this.#attemptsEnded
    await this.#options.store.stop()
  }

  async #endAttempts(timeoutMs: number): Promise<void> {
    await this.#idleWithin(timeoutMs)
    const { dispatcher } = this.#lives
    for (const attempt of dispatcher.attempts.held()) dispatcher.stopAttempt(attempt, 'shutdown', 0)
    await this.#idleWithin(SHUTDOWN_KILL_MS)
    await this.#outbox.stop()
    this.#timers.stop()
    await this.#options.executor.stop()
  }

  /** Accepts a graph: when this resolves, it is kept, and will run. */
  submit(submission: Submission): Promise<Result<Accepted>> {
    return this.#submissions.submit(submission)
  }

  /** Removes a record. What is under way goes on, and its outcome is dropped. */
  async remove(id: string): Promise<Result<true>> {
    if (this.#lives.isStopping) return STOPPING
    if (!(await this.#options.store.has(id))) return taskNotFound(id)
    const task = this.#options.store.unfinished(id)
    try {
      await this.#options.store.commit({ removed: [id] }, 'sync')
      if (task !== null) this.#noteRemoved(task)
      return ok(true)
    } catch (error) {
      return refused('unavailable', `task ${id} could not be removed: ${reasonOf(error)}`)
    }
  }

  /** Stops a task that is not over. One that runs ends in a while. */
  async cancel(id: string, graceMs = this.#options.graceMs): Promise<Result<true>> {
    return this.#lives.isStopping ? STOPPING : cancelTask(this.#parts, id, graceMs)
  }

  async cancelGraph(key: number, graceMs = this.#options.graceMs): Promise<Result<Graph>> {
    return this.#lives.isStopping ? STOPPING : cancelGraph(this.#parts, key, graceMs)
  }

  /** Lets a graph's failed and skipped tasks run again. */
  async retryGraph(key: number): Promise<Result<Graph>> {
    return this.#lives.isStopping ? STOPPING : this.#graphs.retry(key)
  }

  /** Removes the records of a graph that is over. */
  async removeGraph(key: number): Promise<Result<Graph>> {
    return this.#lives.isStopping ? STOPPING : this.#graphs.remove(key)
  }

  /** Why a task is not over; `null` for one that is, or that nobody knows. */
  why(id: string): Why | null {
    const { store, nowMs } = this.#options
    const task = store.unfinished(id)
    return task === null
      ? null
      : whyUnfinished(task, this.#lives, nowMs(), (other) => store.unfinished(other))
  }

  metrics(): Metrics {
    this.#lives.counters.running = this.#attempts.running
    return this.#lives.counters.snapshot()
  }

  gauges(): Gauges {
    return {
      slots: this.#attempts.slots,
      slotsInUse: this.#attempts.running,
      ready: this.#lives.dispatcher.ready,
      unfinished: this.#lives.unfinished,
      unsaved: this.#outbox.size,
    }
  }

  /** Gives free slots to ready tasks. Safe to call at any time. */
  tick(): void {
    this.#lives.dispatcher.tick()
  }

  onOutcomes(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      const attempt = this.#attempts.get(outcome.ref)
      if (attempt === undefined) continue
      const { task, isCancelled } = attempt
      this.#options.observer?.ended(task, outcome)
      if (outcome.status === 'aborted' && attempt.stopCause === 'shutdown')
        this.#killed(task, outcome.detailsJson)
      else this.#lives.end(task, this.#envelopeOf(attempt, task, outcome), outcome.isFinal || isCancelled)
    }
    this.#lives.settle()
  }

  /** A busy process may hear of the end before its own clock told it that the time was over. */
  #envelopeOf(attempt: Attempt, task: Task, outcome: Outcome): Envelope {
    const isLate = task.timeoutMs > 0 && outcome.ranMs > task.timeoutMs + DEADLINE_SLACK_MS
    if (!isLate || outcome.status === 'aborted') return envelopeOf(outcome, attempt.stopCause)
    // The stop kills, and decides nothing.
    const cause = attempt.stopCause === 'cancel' ? 'cancel' : 'timeout'
    return envelopeOf({ ...outcome, status: 'aborted', message: '' }, cause)
  }

  onProgress(ref: number, atMs: number, message: string): void {
    const task = this.#attempts.get(ref)?.task
    if (task === undefined) return
    task.progress = [...task.progress.slice(-MAX_PROGRESS_LINES), { atMs, message }]
    task.updatedMs = atMs
    this.#lives.note(task, 'task_progressed', message)
  }

  onLost(refs: readonly number[], culprit: number, reason: string): void {
    this.#options.log.error({ reason, attempts: refs.length }, 'a worker thread was lost')
    for (const ref of refs) {
      const attempt = this.#attempts.get(ref)
      if (attempt === undefined) continue
      const { task, stopCause, isCancelled } = attempt
      // Where another attempt blocked the thread, one that nobody was stopping lost it through no fault of its own.
      const isInnocent = stopCause === null && culprit >= 0 && ref !== culprit
      if (stopCause === 'shutdown') this.#killed(task, '')
      else if (isInnocent) this.#lives.apply(task, 'requeue')
      else {
        const nowMs = this.#options.nowMs()
        // One that shared a slot may never have begun.
        const envelope = lostEnvelope(reason, stopCause, task.startedMs || nowMs, nowMs)
        this.#lives.end(task, envelope, isCancelled)
      }
    }
    this.#lives.settle()
  }

  /** The stop ended its attempt. As it runs again, no record says so: the log does. */
  #killed(task: Task, detailsJson: string): void {
    this.#lives.apply(task, 'requeue')
    const details = JSON.parse(stoppedDetails(detailsJson || '{}', 'shutdown')) as JsonObject
    const message = 'killed by the stop: the task runs again at the next start'
    this.#options.log.info({ ...namesOf(task), ...details }, message)
  }

  get #attempts() {
    return this.#lives.dispatcher.attempts
  }

  get #parts() {
    const { store } = this.#options
    return { store, lives: this.#lives, outbox: this.#outbox, removed: this.#removed }
  }

  /** Its graph's cancel still has to find it. */
  #noteRemoved(task: Task): void {
    const removed = this.#removed.get(task.graph)
    if (removed === undefined) this.#removed.set(task.graph, [task])
    else removed.push(task)
  }

  /** Resolves when nothing runs, or after `timeoutMs`. */
  async #idleWithin(timeoutMs: number): Promise<void> {
    if (this.#attempts.running === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#lives.onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#lives.onIdle = null
  }
}

const STOPPING = refused('unavailable', 'the daemon is shutting down: try again after its restart')

/** An attempt that ended right at its deadline was in time. */
const DEADLINE_SLACK_MS = 1

/** How long killed attempts may take to be reported at a stop. */
const SHUTDOWN_KILL_MS = 2000

/** Lines of progress that a task keeps, beside its last. */
const MAX_PROGRESS_LINES = 99
