import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { acceptPlan, Keys } from '../../../src/scheduler/accept.ts'
import { Attempts } from '../../../src/scheduler/attempts.ts'
import { Counters } from '../../../src/scheduler/counters.ts'
import { accepted, planOf, submitted } from '../../support/tasks.ts'

describe('Attempts', () => {
  it('give refs from 0, and one that was freed again', () => {
    const attempts = new Attempts(3)
    const [a, b, c] = [accepted('a'), accepted('b'), accepted('c')]
    assert.deepEqual([attempts.free, attempts.running], [3, 0])
    const first = attempts.take(a)
    const second = attempts.take(b)
    assert.deepEqual([first.ref, second.ref], [0, 1])
    assert.deepEqual([attempts.free, attempts.running], [1, 2])
    attempts.release(first)
    assert.equal(attempts.get(0), undefined)
    assert.equal(attempts.get(1)!.task, b)
    assert.equal(attempts.take(c).ref, 0)
  })

  it('share a slot until the last of them is over', () => {
    const attempts = new Attempts(2)
    const first = attempts.take(accepted('a'))
    const second = attempts.share(accepted('b'), first.slot)
    assert.notEqual(first.ref, second.ref)
    assert.deepEqual([attempts.free, attempts.running], [1, 1])
    attempts.release(first)
    assert.deepEqual([attempts.free, attempts.running], [1, 1])
    const third = attempts.share(accepted('c'), second.slot)
    attempts.release(second)
    attempts.release(third)
    assert.deepEqual([attempts.free, attempts.running], [2, 0])
  })

  it('know none that is over, or never was', () => {
    const attempts = new Attempts(1)
    for (const ref of [-1, 0, 1, 0.5, Number.NaN]) assert.equal(attempts.get(ref), undefined)
  })

  it('hand a slot on without a trace of the attempt before', () => {
    const attempts = new Attempts(1)
    const attempt = attempts.take(accepted('a'))
    attempt.stopCause = 'timeout'
    attempt.deadline = { atMs: 0, place: 0, run: () => {} }
    attempts.release(attempt)
    const next = attempts.take(accepted('b'))
    assert.deepEqual([next.stopCause, next.deadline], [null, null])
  })

  it('name those that are held, also while they are released', () => {
    const attempts = new Attempts(4)
    for (const id of ['a', 'b', 'c']) attempts.take(accepted(id))
    const held: string[] = []
    for (const attempt of attempts.held()) {
      held.push(attempt.task!.id)
      attempts.release(attempt)
    }
    assert.deepEqual(held, ['a', 'b', 'c'])
    assert.equal(attempts.running, 0)
  })

  it('never give one slot to two', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(9)), (slots, steps) => {
        const attempts = new Attempts(slots)
        const held = new Map<number, ReturnType<Attempts['take']>>()
        for (const step of steps) {
          const found = held.get(step % slots)
          if (step >= 5 && found !== undefined) {
            attempts.release(found)
            held.delete(found.ref)
          } else if (attempts.free > 0) {
            const attempt = attempts.take(accepted('a'))
            assert.ok(!held.has(attempt.ref))
            held.set(attempt.ref, attempt)
          }
          assert.deepEqual([attempts.running, attempts.free], [held.size, slots - held.size])
        }
      }),
    )
  })
})

describe('Keys', () => {
  it('go on from the last one, without a gap', () => {
    const keys = new Keys(41)
    assert.deepEqual([keys.take(1), keys.take(3), keys.take(0), keys.take(1)], [42, 43, 46, 46])
    assert.equal(new Keys().take(1), 1)
  })
})

describe('acceptPlan', () => {
  it('links tasks with those that wait for them', () => {
    const plan = planOf([submitted('b', { dependsOn: ['a', 'a'] }), submitted('a', { type: 'mcp' })])
    const { graph, tasks, outside } = acceptPlan(plan, new Keys(6), 7, true)
    const [b, a] = tasks
    assert.deepEqual(a!.dependents, [b, b])
    assert.deepEqual([b!.dependents, b!.waitingFor, b!.phase, a!.phase], [null, 2, 'blocked', 'ready'])
    assert.deepEqual([b!.key, a!.key, a!.handleId, b!.handleId], [7, 8, 'mcp-1000000000000008', ''])
    assert.deepEqual([a!.createdMs, b!.updatedMs], [7, 7])
    assert.deepEqual([graph.key, graph.size, graph.unfinished, graph.isRelaxed], [7, 2, 2, true])
    assert.equal(a!.graph, graph)
    assert.deepEqual(outside, [])
  })

  it('leaves out what exists already, and names who depends on it', () => {
    const plan = planOf([
      submitted('a'),
      submitted('b', { dependsOn: ['a', 'c'] }),
      submitted('c', { dependsOn: ['a'] }),
    ])
    const { graph, tasks, outside } = acceptPlan(plan, new Keys(), 7, false, new Set(['a']))
    assert.deepEqual([graph.key, graph.size], [1, 2])
    assert.deepEqual(
      tasks.map((task) => [task.key, task.id, task.waitingFor]),
      [
        [1, 'b', 2],
        [2, 'c', 1],
      ],
    )
    assert.deepEqual(
      outside.map(({ task, id }) => [task.id, id]),
      [
        ['b', 'a'],
        ['c', 'a'],
      ],
    )
  })

  it('turns a delay into a time', () => {
    const times = planOf([
      submitted('a', { delayMs: 5 }),
      submitted('b', { delayMs: 5, runAtMs: 100 }),
      submitted('c', { runAtMs: 3 }),
      submitted('d', { delayMs: Number.MAX_SAFE_INTEGER }),
    ])
    const { tasks } = acceptPlan(times, new Keys(), 7, false)
    assert.deepEqual(
      tasks.map((task) => [task.runAtMs, task.phase]),
      [
        [12, 'blocked'],
        [100, 'blocked'],
        [3, 'blocked'],
        [Date.parse('9999-12-31T23:59:59.999Z'), 'blocked'],
      ],
    )
  })
})

describe('Counters', () => {
  it('say what GET /metrics answers, types in the order of the alphabet', () => {
    const counters = new Counters()
    for (const type of ['os', 'mcp', 'os', 'cli-skills']) counters.accepted(type)
    counters.failed = 2
    assert.equal(
      JSON.stringify(counters.snapshot()),
      '{"tasks_total":4,"tasks_running":0,"tasks_succeeded":0,"tasks_failed":2,"by_type":{"cli-skills":1,"mcp":1,"os":2}}',
    )
  })
})
