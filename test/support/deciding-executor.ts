/**
 * An executor in which the test decides when and how each attempt ends. As the port asks, it tells nothing from within
 * a call to it: what a test decides comes from the test's own turn of the event loop.
 */
import assert from 'node:assert/strict'
import type { Dispatched, Executor, ExecutorEvents } from '../../src/pool/executor.ts'
import type { Outcome } from '../../src/pool/messages.ts'

/** A call to `abort`. */
export interface Abort {
  readonly ref: number
  readonly taskId: string
  readonly graceMs: number
  readonly reason: string
}

export interface Failure {
  readonly message?: string
  readonly isFinal?: boolean
  readonly code?: Outcome['code']
  readonly retryable?: boolean
  readonly outputJson?: string
}

export class DecidingExecutor implements Executor {
  /** Attempts that have not ended, by ref, in the order in which they began. */
  readonly pending = new Map<number, Dispatched>()
  /** Every attempt that began. */
  readonly begun: Dispatched[] = []
  readonly aborts: Abort[] = []
  /** The most attempts that were under way at once. */
  most = 0
  isStarted = false
  stops = 0
  kills = 0
  /** Whether an aborted attempt ends by itself, in a turn of its own. */
  answersAborts = true
  readonly #nowMs: () => number
  #events: ExecutorEvents | null = null

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  async start(events: ExecutorEvents): Promise<void> {
    this.#events = events
    this.isStarted = true
  }

  async stop(): Promise<void> {
    this.stops++
  }

  dispatch(assignments: readonly Dispatched[]): void {
    assert.ok(assignments.length > 0, 'a batch is never empty')
    for (const assignment of assignments) {
      assert.ok(!this.pending.has(assignment.ref), `ref ${assignment.ref} is under way already`)
      this.pending.set(assignment.ref, assignment)
      this.begun.push(assignment)
    }
    this.most = Math.max(this.most, this.pending.size)
  }

  abort(ref: number, graceMs: number, reason: string): void {
    const assignment = this.pending.get(ref)
    assert.ok(assignment, `ref ${ref} is not under way`)
    this.aborts.push({ ref, taskId: assignment.taskId, graceMs, reason })
    if (!this.answersAborts) return
    setImmediate(() => {
      if (this.pending.get(ref) === assignment) this.report([this.aborted(ref)])
    })
  }

  killProcesses(): void {
    this.kills++
  }

  /** Ids of the tasks that ran, in the order in which their attempts began. */
  get beganIds(): string[] {
    return this.begun.map((assignment) => assignment.taskId)
  }

  get pendingIds(): string[] {
    return [...this.pending.values()].map((assignment) => assignment.taskId)
  }

  /** The ref of the task's attempt: the one that began last. */
  ref(taskId: string): number {
    const refs = [...this.pending].filter(([, assignment]) => assignment.taskId === taskId)
    assert.ok(refs.length > 0, `${taskId} is not under way: ${this.pendingIds.join(', ') || 'nothing is'}`)
    return refs.at(-1)![0]
  }

  succeed(ref: number, output: unknown = { ok: true }): void {
    this.report([this.success(ref, output)])
  }

  fail(ref: number, failure: Failure = {}): void {
    this.report([this.failure(ref, failure)])
  }

  /** Tells what attempts came to, all at once. */
  report(outcomes: readonly Outcome[]): void {
    for (const { ref } of outcomes) assert.ok(this.pending.delete(ref), `ref ${ref} is not under way`)
    this.#events!.onOutcomes(outcomes)
  }

  /** Tells something of attempts that are not under way any more. */
  reportAnyway(outcomes: readonly Outcome[]): void {
    this.#events!.onOutcomes(outcomes)
  }

  progress(ref: number, message: string): void {
    this.#events!.onProgress(ref, this.#nowMs(), message)
  }

  /** Attempts end with their thread. @param culprit the one that blocked it, -1 where it died by itself */
  lose(refs: readonly number[], culprit: number, reason = 'it did not answer an abort'): void {
    for (const ref of refs) assert.ok(this.pending.delete(ref), `ref ${ref} is not under way`)
    this.#events!.onLost(refs, culprit, reason)
  }

  success(ref: number, output: unknown = { ok: true }): Outcome {
    return { ...this.#outcome(ref), status: 'success', outputJson: JSON.stringify(output) }
  }

  failure(ref: number, failure: Failure = {}): Outcome {
    return {
      ...this.#outcome(ref),
      status: 'failed',
      message: 'it failed',
      code: 'external_failure',
      ...failure,
    }
  }

  aborted(ref: number, message = ''): Outcome {
    return { ...this.#outcome(ref), status: 'aborted', message }
  }

  #outcome(ref: number): Outcome {
    return {
      ref,
      status: 'success',
      outputJson: '',
      detailsJson: '',
      startedMs: this.#nowMs(),
      finishedMs: this.#nowMs(),
      ranMs: 0,
      message: '',
      code: 'unknown',
      retryable: false,
      isFinal: false,
    }
  }
}
