/** The port behind which attempts run. The scheduler decides what runs; an executor runs it. */
import type { Assignment, Outcome } from './messages.ts'

/** What an executor tells. Called from its own turn of the event loop, never from within a call to it. */
export interface ExecutorEvents {
  onOutcomes(outcomes: readonly Outcome[]): void
  onProgress(ref: number, atMs: number, message: string): void
  /**
   * Attempts that ended with their thread. `culprit` is the one that did not answer an abort, -1 where the thread
   * died by itself.
   */
  onLost(refs: readonly number[], culprit: number, reason: string): void
}

/** An assignment, and what decides where it goes. */
export interface Dispatched extends Assignment {
  /** Its tool is over as soon as it begins. */
  readonly isInstant: boolean
}

export interface Executor {
  /** Resolves when work can begin; rejects when no thread comes up. */
  start(events: ExecutorEvents): Promise<void>
  /** Ends every thread and what it runs. */
  stop(): Promise<void>
  /**
   * Begins attempts. Those of instant tools in one call run on one thread, so that no two of them run at once. A `ref`
   * names an attempt until its outcome, or its loss, was told.
   */
  dispatch(assignments: readonly Dispatched[]): void
  /** Stops one attempt, which then ends `aborted`. @param graceMs between SIGTERM and SIGKILL; 0 kills at once */
  abort(ref: number, graceMs: number, reason: string): void
  /** Kills every process that attempts started, now: for an end that cannot wait. */
  killProcesses(): void
}
