/**
 * What the end of a dependency means for a task that waits for it.
 *
 * | `run_if` | runs | is skipped |
 * |---|---|---|
 * | `success` | once all succeeded, or failed with leave to | at once when one did not |
 * | `failure` | once all are over and one failed or was skipped | once all are over and none did: not needed |
 * | `always` | once all are over | never |
 *
 * @see contract A4, B2
 */
import type { Phase } from './lifecycle.ts'
import type { RunIf } from './task.ts'

/** How a dependency ended. `allowed`: failed, with leave to. `deleted`: its record is gone. */
export type DependencyEnd = 'success' | 'failed' | 'allowed' | 'skipped' | 'deleted'

/** What a blocked task does. `not-needed`: it is skipped, and nothing bad happened. */
export type Verdict = 'wait' | 'run' | 'skip' | 'not-needed'

/** The error of a task that is skipped because it was not needed. */
export const NOT_NEEDED = 'no dependency failed'

/** How a task that is over ended, for those that depend on it. */
export const endOf = (task: { readonly phase: Phase; readonly isBad: boolean }): DependencyEnd => {
  switch (task.phase) {
    case 'success':
    case 'skipped':
      return task.phase
    case 'failed':
      return task.isBad ? 'failed' : 'allowed'
    default:
      throw new Error(`a task that is ${task.phase} is not over`)
  }
}

/**
 * @param end how the dependency ended
 * @param open how many others are not over
 * @param hasFailure whether this one or another did not succeed
 */
export const verdictOf = (runIf: RunIf, end: DependencyEnd, open: number, hasFailure: boolean): Verdict => {
  if (runIf === 'success' && end !== 'success' && end !== 'allowed') return 'skip'
  if (open > 0) return 'wait'
  return runIf === 'failure' && !hasFailure ? 'not-needed' : 'run'
}
