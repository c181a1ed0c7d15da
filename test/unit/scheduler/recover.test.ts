import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { relink } from '../../../src/scheduler/recover.ts'
import type { Recovered } from '../../../src/store/store.ts'
import { accepted } from '../../support/tasks.ts'

type Settled = 'success' | 'failed' | 'skipped' | 'deleted'

const recovered = (
  id: string,
  dependsOn: string[] = [],
  settled: Record<string, Settled> = {},
): Recovered => ({
  task: accepted(id, { dependsOn }),
  settledDependencies: new Map(Object.entries(settled)),
})

const outcome = (found: readonly Recovered[]) => {
  const { ready, skip } = relink(found)
  return {
    ready: ready.map((task) => `${task.id} ${task.phase}`),
    skip: skip.map(({ task, error }) => `${task.id} ${task.phase}: ${error}`),
  }
}

describe('relink', () => {
  it('finds nothing to do in nothing', () => assert.deepEqual(outcome([]), { ready: [], skip: [] }))

  it('makes tasks without dependencies ready, in their order', () =>
    assert.deepEqual(outcome([recovered('b'), recovered('a')]), { ready: ['b ready', 'a ready'], skip: [] }))

  it('makes a task ready whose dependencies all succeeded', () =>
    assert.deepEqual(outcome([recovered('a', ['x', 'y', 'x'], { x: 'success', y: 'success' })]), {
      ready: ['a ready'],
      skip: [],
    }))

  for (const ended of ['failed', 'skipped', 'deleted'] as const) {
    it(`skips a task of which a dependency was ${ended}`, () =>
      assert.deepEqual(outcome([recovered('a', ['ok', 'x'], { ok: 'success', x: ended })]), {
        ready: [],
        skip: [`a blocked: dependency x ${ended}`],
      }))
  }

  it('names the first that decided it', () =>
    assert.deepEqual(outcome([recovered('a', ['x', 'y'], { x: 'deleted', y: 'failed' })]).skip, [
      'a blocked: dependency x deleted',
    ]))

  it('links a task with those that it still waits for', () => {
    const first = recovered('first')
    const middle = recovered('middle', ['first', 'done'], { done: 'success' })
    const last = recovered('last', ['middle', 'first', 'middle'])
    // Also where the dependent is the older one.
    assert.deepEqual(outcome([last, middle, first]), { ready: ['first ready'], skip: [] })
    assert.deepEqual([last.task.waitingFor, middle.task.waitingFor, first.task.waitingFor], [3, 1, 0])
    assert.deepEqual(
      first.task.dependents!.map((task) => task.id),
      ['last', 'middle'],
    )
    assert.deepEqual(
      middle.task.dependents!.map((task) => task.id),
      ['last', 'last'],
    )
    assert.equal(last.task.phase, 'blocked')
  })

  it('skips a task at once, though another dependency is not over', () => {
    const open = recovered('open')
    const task = recovered('task', ['open', 'x'], { x: 'failed' })
    assert.deepEqual(outcome([open, task]), {
      ready: ['open ready'],
      skip: ['task blocked: dependency x failed'],
    })
  })

  it('links a chain of 100,000', () => {
    const found = Array.from({ length: 100_000 }, (_, at) =>
      recovered(`t${at}`, at === 0 ? [] : [`t${at - 1}`]),
    )
    assert.deepEqual(outcome(found), { ready: ['t0 ready'], skip: [] })
  })
})
