/** Every `run_if` × `allow_failure` of the dependency × how that ends, at the scheduler. @see contract B2 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { graphStatus } from '../../../src/domain/graph-record.ts'
import { RUN_IFS } from '../../../src/domain/task.ts'
import { type Rig, startRig } from '../../support/scheduler-rig.ts'
import { submitted } from '../../support/tasks.ts'

/** `first` depends on `before`; this ends it. */
const ENDINGS: Record<string, (rig: Rig) => unknown> = {
  succeeds: ({ executor }) => {
    executor.succeed(executor.ref('before'))
    executor.succeed(executor.ref('first'))
  },
  fails: ({ executor }) => {
    executor.succeed(executor.ref('before'))
    executor.fail(executor.ref('first'))
  },
  'is cancelled': ({ scheduler }) => scheduler.cancel('first'),
  'is cancelled while it runs': ({ scheduler, executor }) => {
    executor.succeed(executor.ref('before'))
    return scheduler.cancel('first')
  },
  'is skipped': ({ executor }) => executor.fail(executor.ref('before')),
}

/** What becomes of what depends on it, with the `run_if`s success, failure and always; and of the graph. */
const EXPECTED: Record<string, readonly [string, string, string, graph: string]> = {
  'succeeds, allow_failure false': ['runs', 'skipped no dependency failed', 'runs', 'success'],
  'succeeds, allow_failure true': ['runs', 'skipped no dependency failed', 'runs', 'success'],
  'fails, allow_failure false': ['skipped dependency first failed', 'runs', 'runs', 'failed'],
  'fails, allow_failure true': ['runs', 'runs', 'runs', 'success'],
  'is cancelled, allow_failure false': ['skipped dependency first failed', 'runs', 'runs', 'failed'],
  'is cancelled, allow_failure true': ['skipped dependency first failed', 'runs', 'runs', 'failed'],
  'is cancelled while it runs, allow_failure false': [
    'skipped dependency first failed',
    'runs',
    'runs',
    'failed',
  ],
  'is cancelled while it runs, allow_failure true': [
    'skipped dependency first failed',
    'runs',
    'runs',
    'failed',
  ],
  'is skipped, allow_failure false': ['skipped dependency first skipped', 'runs', 'runs', 'failed'],
  'is skipped, allow_failure true': ['skipped dependency first skipped', 'runs', 'runs', 'failed'],
}

describe('a dependency', () => {
  for (const [how, end] of Object.entries(ENDINGS)) {
    for (const allowFailure of [false, true]) {
      it(`${how}, allow_failure ${allowFailure}`, async (t) => {
        const rig = await startRig(t)
        const { executor, submitWith, states, store } = rig
        const key = await submitWith([
          submitted('before'),
          submitted('first', { dependsOn: ['before'], allowFailure }),
          ...RUN_IFS.map((runIf) => submitted(runIf, { dependsOn: ['first'], runIf })),
        ])
        await end(rig)
        await states('first')
        executor.report([...executor.pending.keys()].map((ref) => executor.success(ref)))
        const ends = await states(...RUN_IFS)
        const [success, failure, always, graph] = EXPECTED[`${how}, allow_failure ${allowFailure}`]!
        assert.deepEqual(
          ends.map((line) => line.replace(/^\w+: /, '')),
          [success, failure, always].map((each) => (each === 'runs' ? 'success' : each)),
        )
        assert.equal(graphStatus((await store.graph(key))!), graph)
      })
    }
  }
})
