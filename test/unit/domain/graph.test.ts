import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { planGraph } from '../../../src/domain/graph.ts'
import { DEFAULT_LIMITS } from '../../../src/domain/limits.ts'
import type { SubmittedTask } from '../../../src/domain/task.ts'
import { chain, planOf, submitted } from '../../support/tasks.ts'

const problemOf = (tasks: readonly SubmittedTask[], limits = DEFAULT_LIMITS): string => {
  const plan = planGraph(tasks, limits)
  assert.ok(!plan.ok, 'the graph should have a problem')
  assert.equal(plan.problem.code, 'invalid')
  return plan.problem.message
}

const PROBLEMS: readonly (readonly [string, readonly SubmittedTask[], string])[] = [
  ['no tasks', [], 'task graph is empty'],
  ['no id', [submitted('')], 'task id is required'],
  ['no type', [submitted('a', { type: '' })], 'task "a": type is required'],
  ['an id twice', [submitted('a'), submitted('b'), submitted('a')], 'duplicate task id: "a"'],
  ['a negative retry', [submitted('a', { retry: -1 })], 'task "a": retry cannot be negative'],
  ['a negative timeout', [submitted('a', { timeoutMs: -1 })], 'task "a": timeout cannot be negative'],
  ['an unknown dependency', [submitted('a', { dependsOn: ['b'] })], 'task "a" depends on unknown task "b"'],
  [
    'a task that waits for itself',
    [submitted('a', { dependsOn: ['a'] })],
    'task "a" cannot depend on itself',
  ],
  [
    'a cycle',
    [submitted('a', { dependsOn: ['b'] }), submitted('b', { dependsOn: ['a'] })],
    'cycle detected in task graph',
  ],
  [
    'an unknown type',
    [submitted('a', { type: 'x' })],
    'unknown task type: x (available: cli-skills, mcp, os)',
  ],
]

describe('planGraph refuses, word for word', () => {
  for (const [what, tasks, message] of PROBLEMS) it(what, () => assert.equal(problemOf(tasks), message))

  it('an id with quotes, as Go quotes it', () =>
    assert.equal(problemOf([submitted('a"\n', { type: '' })]), 'task "a\\"\\n": type is required'))

  it('a cycle behind tasks that are on none', () =>
    assert.equal(
      problemOf([
        submitted('root'),
        submitted('a', { dependsOn: ['root', 'c'] }),
        submitted('b', { dependsOn: ['a'] }),
        submitted('c', { dependsOn: ['b'] }),
        submitted('behind', { dependsOn: ['c'] }),
      ]),
      'cycle detected in task graph',
    ))

  it('a cycle of 100,000 tasks', () => {
    const [first, ...rest] = chain(100_000)
    assert.equal(problemOf([{ ...first!, dependsOn: ['t99999'] }, ...rest]), 'cycle detected in task graph')
  })

  it('names that every object has, as ids like any other', () =>
    assert.equal(
      problemOf([submitted('a', { dependsOn: ['__proto__'] })]),
      'task "a" depends on unknown task "__proto__"',
    ))

  for (const type of ['OS', ' os', 'constructor', '__proto__', 'Shell']) {
    it(`the type ${JSON.stringify(type)}`, () =>
      assert.equal(
        problemOf([submitted('a', { type })]),
        `unknown task type: ${type} (available: cli-skills, mcp, os)`,
      ))
  }
})

describe('planGraph answers the first problem found', () => {
  it('task by task, each checked for id, type, duplicate, retry and timeout in this order', () => {
    const bad = { type: '', retry: -1, timeoutMs: -1 }
    assert.equal(problemOf([submitted('', bad)]), 'task id is required')
    assert.equal(problemOf([submitted('a'), submitted('a', bad)]), 'task "a": type is required')
    assert.equal(
      problemOf([submitted('a'), submitted('a', { retry: -1, timeoutMs: -1 })]),
      'duplicate task id: "a"',
    )
    assert.equal(
      problemOf([submitted('a', { retry: -1, timeoutMs: -1 })]),
      'task "a": retry cannot be negative',
    )
    assert.equal(
      problemOf([submitted('a', { timeoutMs: -1 }), submitted('')]),
      'task "a": timeout cannot be negative',
    )
    assert.equal(problemOf([submitted('a'), submitted(''), submitted('b', bad)]), 'task id is required')
  })

  it('every task before any dependency', () =>
    assert.equal(
      problemOf([submitted('a', { dependsOn: ['nowhere'] }), submitted('b', { retry: -1 })]),
      'task "b": retry cannot be negative',
    ))

  it('dependencies in the order in which they are named', () => {
    assert.equal(
      problemOf([submitted('a', { dependsOn: ['a', 'nowhere'] })]),
      'task "a" cannot depend on itself',
    )
    assert.equal(
      problemOf([submitted('a', { dependsOn: ['nowhere', 'a'] })]),
      'task "a" depends on unknown task "nowhere"',
    )
    assert.equal(
      problemOf([
        submitted('a', { dependsOn: ['b'] }),
        submitted('b', { dependsOn: ['b'] }),
        submitted('c', { dependsOn: ['nowhere'] }),
      ]),
      'task "b" cannot depend on itself',
    )
  })

  it('dependencies before cycles', () =>
    assert.equal(
      problemOf([
        submitted('a', { dependsOn: ['b'] }),
        submitted('b', { dependsOn: ['a'] }),
        submitted('c', { dependsOn: ['nowhere'] }),
      ]),
      'task "c" depends on unknown task "nowhere"',
    ))

  it('cycles before unknown types', () =>
    assert.equal(
      problemOf([
        submitted('a', { type: 'x', dependsOn: ['b'] }),
        submitted('b', { type: 'y', dependsOn: ['a'] }),
      ]),
      'cycle detected in task graph',
    ))

  it('the first unknown type', () =>
    assert.equal(
      problemOf([submitted('a'), submitted('b', { type: 'x' }), submitted('c', { type: 'y' })]),
      'unknown task type: x (available: cli-skills, mcp, os)',
    ))
})

describe('planGraph bounds', () => {
  it('the number of tasks', () => {
    const limits = { ...DEFAULT_LIMITS, tasksPerGraph: 2 }
    assert.ok(planGraph(chain(2), limits).ok)
    assert.equal(problemOf(chain(3), limits), 'task graph has 3 tasks: at most 2 are allowed')
  })

  it('the dependencies of a task', () => {
    const limits = { ...DEFAULT_LIMITS, dependenciesPerTask: 1 }
    const roots = [submitted('a'), submitted('b')]
    assert.ok(planGraph([...roots, submitted('c', { dependsOn: ['a'] })], limits).ok)
    assert.equal(
      problemOf([...roots, submitted('c', { dependsOn: ['a', 'b'] })], limits),
      'task "c": depends_on names 2 tasks: at most 1 are allowed',
    )
  })

  it('an id in bytes of UTF-8, not in characters', () => {
    for (const [char, bytes] of [
      ['a', 1],
      ['é', 2],
      ['字', 3],
      ['😀', 4],
    ] as const) {
      const fits = char.repeat(512 / bytes)
      assert.ok(planGraph([submitted(fits)], DEFAULT_LIMITS).ok, char)
      assert.match(
        problemOf([submitted(`${fits}${char}`)]),
        new RegExp(`: id is ${Math.floor(512 / bytes) * bytes + bytes} bytes: at most 512 are allowed$`),
      )
    }
  })
})

describe('planGraph finds who depends on whom', () => {
  it('nobody, for a task alone', () => assert.deepEqual(planOf([submitted('a')]).dependents, [null]))

  it('by place, in the order of the tasks', () =>
    assert.deepEqual(
      planOf([
        submitted('d', { dependsOn: ['a', 'b'] }),
        submitted('a'),
        submitted('b', { dependsOn: ['a'] }),
      ]).dependents,
      [null, [0, 2], [0]],
    ))

  it('twice where a dependency is named twice', () =>
    assert.deepEqual(planOf([submitted('a'), submitted('b', { dependsOn: ['a', 'a'] })]).dependents, [
      [1, 1],
      null,
    ]))

  it('ids that look like anything', () => {
    const ids = ['__proto__', 'constructor', '0', ' ', '\u0000', '任务']
    const tasks = ids.map((id, at) => submitted(id, { dependsOn: at === 0 ? [] : [ids[at - 1]!] }))
    assert.deepEqual(planOf(tasks).dependents, [[1], [2], [3], [4], [5], null])
  })

  it('in a chain of 100,000 tasks, given from its end', () => {
    const { dependents } = planOf(chain(100_000).reverse())
    assert.equal(dependents[0], null)
    assert.ok(dependents.every((list, place) => place === 0 || list![0] === place - 1))
  })

  it('in fan-ins of 10,000, and a fan-out of 99,999', () => {
    const roots = Array.from({ length: 10_000 }, (_, at) => submitted(`r${at}`))
    const all = submitted('all', { dependsOn: roots.map((root) => root.id) })
    assert.ok(planOf([all, ...roots]).dependents.every((list, place) => place === 0 || list![0] === 0))

    const leaves = Array.from({ length: 99_999 }, (_, at) => submitted(`l${at}`, { dependsOn: ['root'] }))
    assert.equal(planOf([submitted('root'), ...leaves]).dependents[0]!.length, 99_999)
  })

  it('in a fan-in of 100,000, where the limits allow it', () => {
    const roots = Array.from({ length: 99_999 }, (_, at) => submitted(`r${at}`))
    const all = submitted('all', { dependsOn: roots.map((root) => root.id) })
    const plan = planGraph([all, ...roots], { ...DEFAULT_LIMITS, dependenciesPerTask: 100_000 })
    assert.ok(plan.ok)
    assert.ok(plan.value.dependents.every((list, place) => place === 0 || list![0] === 0))
  })
})

describe('planGraph over random graphs', () => {
  const edges = fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 20 })

  it('finds a cycle exactly where a walk comes back to where it began', () => {
    fc.assert(
      fc.property(edges, (pairs) => {
        const dependsOn = Array.from({ length: 12 }, (_, from) =>
          pairs.filter(([a, b]) => a === from && b !== from).map(([, b]) => b),
        )
        const tasks = dependsOn.map((list, at) => submitted(`${at}`, { dependsOn: list.map(String) }))
        const reaches = (from: number, to: number, seen = new Set<number>()): boolean =>
          dependsOn[from]!.some(
            (next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))),
          )
        const plan = planGraph(tasks, DEFAULT_LIMITS)
        assert.equal(
          plan.ok,
          tasks.every((_, at) => !reaches(at, at)),
        )
      }),
    )
  })
})
