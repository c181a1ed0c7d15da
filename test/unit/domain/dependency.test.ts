import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type DependencyEnd, endOf, verdictOf } from '../../../src/domain/dependency.ts'
import { PHASES, isOver } from '../../../src/domain/lifecycle.ts'
import { RUN_IFS } from '../../../src/domain/task.ts'

/** A task with this `run_if` waits for several; the given one ended last, or others are still open. */
interface Row {
  readonly runIf: (typeof RUN_IFS)[number]
  readonly end: DependencyEnd
  /** While others are open. */
  readonly early: string
  /** All the others succeeded. */
  readonly afterSuccesses: string
  /** One of the others did not succeed. */
  readonly afterFailure: string
}

const row = (
  runIf: Row['runIf'],
  end: DependencyEnd,
  early: string,
  afterSuccesses: string,
  afterFailure: string,
): Row => ({ runIf, end, early, afterSuccesses, afterFailure })

const ROWS: readonly Row[] = [
  // Another one that failed without leave to would have decided already; one with leave to is no obstacle.
  row('success', 'success', 'wait', 'run', 'run'),
  row('success', 'allowed', 'wait', 'run', 'run'),
  row('success', 'failed', 'skip', 'skip', 'skip'),
  row('success', 'skipped', 'skip', 'skip', 'skip'),
  row('success', 'deleted', 'skip', 'skip', 'skip'),
  row('failure', 'success', 'wait', 'not-needed', 'run'),
  row('failure', 'allowed', 'wait', 'run', 'run'),
  row('failure', 'failed', 'wait', 'run', 'run'),
  row('failure', 'skipped', 'wait', 'run', 'run'),
  row('failure', 'deleted', 'wait', 'run', 'run'),
  row('always', 'success', 'wait', 'run', 'run'),
  row('always', 'allowed', 'wait', 'run', 'run'),
  row('always', 'failed', 'wait', 'run', 'run'),
  row('always', 'skipped', 'wait', 'run', 'run'),
  row('always', 'deleted', 'wait', 'run', 'run'),
]

describe('the verdict on a task that waits', () => {
  for (const { runIf, end, early, afterSuccesses, afterFailure } of ROWS) {
    it(`run_if ${runIf}, a dependency ${end}`, () => {
      const isFailure = end !== 'success'
      for (const open of [1, 2, 10_000]) {
        assert.equal(verdictOf(runIf, end, open, isFailure), early)
        assert.equal(verdictOf(runIf, end, open, true), early)
      }
      assert.equal(verdictOf(runIf, end, 0, isFailure), afterSuccesses)
      assert.equal(verdictOf(runIf, end, 0, true), afterFailure)
    })
  }

  it('is told of every run_if and every end', () => {
    const ends: readonly DependencyEnd[] = ['success', 'failed', 'allowed', 'skipped', 'deleted']
    assert.deepEqual(
      ROWS.map(({ runIf, end }) => `${runIf} ${end}`).sort(),
      RUN_IFS.flatMap((runIf) => ends.map((end) => `${runIf} ${end}`)).sort(),
    )
  })
})

describe('how a task ended, for those that wait for it', () => {
  it('is its phase; a failure that is not bad was allowed', () => {
    for (const isBad of [false, true]) {
      assert.equal(endOf({ phase: 'success', isBad }), 'success')
      assert.equal(endOf({ phase: 'skipped', isBad }), 'skipped')
    }
    assert.equal(endOf({ phase: 'failed', isBad: true }), 'failed')
    assert.equal(endOf({ phase: 'failed', isBad: false }), 'allowed')
  })

  it('is nothing before it is over', () => {
    for (const phase of PHASES.filter((each) => !isOver(each)))
      assert.throws(() => endOf({ phase, isBad: false }), new RegExp(`a task that is ${phase} is not over`))
  })
})
