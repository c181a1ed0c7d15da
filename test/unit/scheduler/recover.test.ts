import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Task } from '../../../src/domain/task.ts'
import { relink } from '../../../src/scheduler/recover.ts'
import type { Recovered } from '../../../src/store/store.ts'
import { accepted } from '../../support/tasks.ts'

type Settled = 'success' | 'allowed' | 'failed' | 'skipped' | 'deleted'

const recovered = (
  id: string,
  dependsOn: string[] = [],
  settled: Record<string, Settled> = {},
): Recovered => ({
  task: accepted(id, { dependsOn }),
  settledDependencies: new Map(Object.entries(settled)),
})

const outcome = (found: readonly Recovered[]) =>
  relink(found, () => null).map(
    ({ task, settled }) =>
      `${task.id} ${task.phase} ${task.waitingFor}: ${settled.map((each) => each.join(' ')).join(', ')}`,
  )

const idsOf = (tasks: readonly Task[] | null): string[] => (tasks ?? []).map((task) => task.id)

describe('relink', () => {
  it('finds nothing to do in nothing', () => assert.deepEqual(outcome([]), []))

  it('keeps the order, and what was settled of each', () =>
    assert.deepEqual(
      outcome([recovered('b'), recovered('a', ['x', 'y', 'x'], { x: 'success', y: 'allowed' })]),
      ['b blocked 0: ', 'a blocked 3: x success, y allowed, x success'],
    ))

  it('links a task with those that it still waits for', () => {
    const first = recovered('first')
    const middle = recovered('middle', ['first', 'done'], { done: 'success' })
    const last = recovered('last', ['middle', 'first', 'middle'])
    // Also where the dependent is the older one.
    assert.deepEqual(outcome([last, middle, first]), [
      'last blocked 3: ',
      'middle blocked 2: done success',
      'first blocked 0: ',
    ])
    assert.deepEqual(idsOf(first.task.dependents), ['last', 'middle'])
    assert.deepEqual(idsOf(middle.task.dependents), ['last', 'last'])
  })

  it('links with a task that is none of these, or takes it for deleted', () => {
    const outside = accepted('outside')
    const inside = recovered('inside', ['outside', 'nowhere'])
    const [relinked] = relink([inside], (id) => (id === 'outside' ? outside : null))
    assert.deepEqual(idsOf(outside.dependents), ['inside'])
    assert.deepEqual(relinked!.settled, [['nowhere', 'deleted']])
  })

  it('links a chain of 100,000', () => {
    const found = Array.from({ length: 100_000 }, (_, at) =>
      recovered(`t${at}`, at === 0 ? [] : [`t${at - 1}`]),
    )
    assert.equal(outcome(found).length, 100_000)
  })
})
