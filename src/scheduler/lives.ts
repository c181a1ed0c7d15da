/**
 * Carries tasks through their lives: applies events, and does what a transition asks for. A task's phase changes only
 * through {@link transition}.
 *
 * ```
 * begin ─► dispatcher: ready ─► slot ─► executor      dispatcher.ts
 *              ▲   ▲                       │
 *  dependents  │   │time or retry due      │ outcome
 *  released    └───┴─ end, tell dependents ◄
 *                       └─► outbox, in order
 * ```
 */
import { type DependencyEnd, endOf, NOT_NEEDED, verdictOf } from '../domain/dependency.ts'
import { type Effect, isOver, type LifeEvent, transition } from '../domain/lifecycle.ts'
import { mayRetry, retryDelayMs } from '../domain/retry.ts'
import { cancelledEnvelope, type Envelope } from '../domain/runtime.ts'
import type { Task } from '../domain/task.ts'
import type { TaskNote } from '../store/events.ts'
import { Counters } from './counters.ts'
import { Dispatcher, type DispatcherOptions } from './dispatcher.ts'
import { Successors } from './successors.ts'
import { Waits } from './waits.ts'

export interface LivesOptions extends DispatcherOptions {
  readonly nowMs: () => number
}

export class Lives {
  readonly dispatcher: Dispatcher
  readonly counters = new Counters()
  readonly #options: LivesOptions
  readonly #successors = new Successors()
  readonly #waits: Waits
  /** Over, without success: their dependents are still to be told. */
  #untold: Task[] = []
  /** Tasks taken on that are not over. */
  unfinished = 0
  /** Those that are taken on once they are kept: they count towards the limit already. */
  beingKept = 0
  /** Told when nothing runs. */
  onIdle: (() => void) | null = null

  constructor(options: LivesOptions) {
    this.#options = options
    this.dispatcher = new Dispatcher(options, (task) => this.apply(task, 'start'))
    this.#waits = new Waits(options.timers, options.nowMs, (task) => {
      this.apply(task, 'due')
      this.dispatcher.wake()
    })
  }

  /** Nothing begins any more. */
  get isStopping(): boolean {
    return this.dispatcher.isStopping
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
    if (task.phase === 'ready') this.dispatcher.enqueue(task)
    else if (task.phase === 'blocked' && task.waitingFor === 0) this.#release(task)
  }

  /** One of the dependencies of `task` is over. */
  dependencyOver(task: Task, id: string, end: DependencyEnd, isBad: boolean): void {
    task.waitingFor--
    if (task.phase !== 'blocked') return
    // Of the most that happens, the most: it goes on waiting.
    if (end === 'success' && task.waitingFor > 0) return
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
      this.note(task, 'task_retried', envelope.error.message)
      return
    }
    this.#fail(task, envelope, 'fail')
  }

  /** Stops a task: at once where no attempt of it runs. One that is over stays as it is. */
  cancel(task: Task, graceMs: number): void {
    if (isOver(task.phase)) return
    if (task.phase === 'running') {
      this.dispatcher.cancel(task, graceMs)
      return
    }
    const nowMs = this.#options.nowMs()
    this.#fail(task, cancelledEnvelope(task.startedMs || nowMs, nowMs), 'cancel')
    this.dispatcher.noteDead(task)
  }

  /** Stops a task whose record was replaced: what has its place begins when its attempt has ended. */
  replace(task: Task, graceMs: number): void {
    this.cancel(task, graceMs)
    if (task.phase === 'running') this.#successors.leave(task)
  }

  /** Tells clients of a task that is not over. */
  note(task: Task, type: TaskNote['type'], message: string): void {
    this.#options.outbox.addNote(task, type, message)
  }

  apply(task: Task, event: LifeEvent): void {
    const step = transition(task.phase, event)
    if (step === null) throw new Error(`task ${task.id}: ${event} cannot happen while it is ${task.phase}`)
    task.phase = step.to
    task.updatedMs = this.#options.nowMs()
    const { effects } = step
    for (let at = 0; at < effects.length; at++) this.#perform(effects[at]!, task)
  }

  /** How long a task that waits for a time has to wait still. */
  waitLeftMs(task: Task): number {
    return this.#waits.leftMs(task)
  }

  /** Carries what was settled to the dependents, the slots and the store, in that order. */
  settle(): void {
    // One list and no recursion: a chain may be as long as a graph.
    for (let at = 0; at < this.#untold.length; at++) this.#tellDependents(this.#untold[at]!)
    this.#untold = []
    this.dispatcher.goOn()
    this.#options.outbox.flush()
    if (this.dispatcher.attempts.running === 0) this.onIdle?.()
  }

  #perform(effect: Effect, task: Task): void {
    switch (effect) {
      case 'enqueue':
        this.dispatcher.enqueue(task)
        return
      case 'dispatch':
        this.#dispatch(task)
        return
      case 'free-slot':
        this.dispatcher.freeSlot(task)
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
    // One of an instant tool has begun when it is over: until then it may wait behind others that share its slot.
    if (this.dispatcher.giveSlot(task) === 'shared') return
    this.#begin(task, task.updatedMs)
    this.#options.outbox.addStarted(task)
    this.note(task, 'task_started', '')
  }

  /** An attempt of the task has begun. */
  #begin(task: Task, atMs: number): void {
    if (task.startedMs === 0) task.graph.counts.running++
    task.startedMs = atMs
    if (task.handleId !== '') this.#noteProgress(task, 'task started')
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
    for (let at = 0; at < dependents.length; at++)
      this.dependencyOver(dependents[at]!, task.id, end, task.isBad)
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
