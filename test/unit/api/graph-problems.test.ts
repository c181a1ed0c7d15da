import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graphProblems } from '../../../src/api/graph-problems.ts'
import { parseGraph } from '../../../src/api/schemas.ts'
import { planGraph } from '../../../src/domain/graph.ts'
import { DEFAULT_LIMITS } from '../../../src/domain/limits.ts'

const linesOf = (value: unknown): string[] =>
  graphProblems(value).map(({ path, message, severity }) => `${severity} ${path.join('.')}: ${message}`)

test('a graph without a problem has none', () => {
  const tasks = [
    { id: 'a', type: 'noop' },
    { id: 'b', type: 'shell', params: { command: 'echo' }, depends_on: ['a'], run_if: 'failure' },
  ]
  assert.deepEqual(linesOf({ tasks, on_conflict: 'reject' }), [])
})

test('all problems are told at once, each at its place', () => {
  const tasks = [
    { id: 'a', type: 'noop', retry: -1, timeout: 'soon', priority: 12 },
    { type: 'nop', run_if: 'failure' },
    7,
    { id: 'a', type: 'shel', depends_on: ['a', 'missing-id'], annotations: { x: 1, y: 'z', w: 2 } },
    { id: 'missingid', type: '', dependson: ['a'], run_at: 'noon' },
  ]
  assert.deepEqual(linesOf({ tasks, onconflict: 'reject', durability: 'none' }).sort(), [
    'error durability: expected "sync" or "relaxed", got "none"',
    'error tasks.0.priority: task "a": priority must be from 0 to 9',
    'error tasks.0.retry: task "a": retry cannot be negative',
    'error tasks.0.timeout: expected an integer, got "soon"',
    'error tasks.1.id: task id is required',
    'error tasks.1.run_if: task "": run_if "failure" needs depends_on',
    'error tasks.1.type: unknown task type: nop (available: cli-skills, mcp, os): did you mean "noop"?',
    'error tasks.2: expected an object, got 7',
    'error tasks.3.annotations.w: expected a string, got 2',
    'error tasks.3.annotations.x: expected a string, got 1',
    'error tasks.3.depends_on.0: task "a" cannot depend on itself',
    'error tasks.3.depends_on.1: task "a" depends on unknown task "missing-id": did you mean "missingid"?',
    'error tasks.3.id: duplicate task id: "a"',
    'error tasks.3.type: unknown task type: shel (available: cli-skills, mcp, os): did you mean "shell"?',
    'error tasks.4.run_at: task "missingid": run_at must be an RFC 3339 time (got "noon")',
    'error tasks.4.type: task "missingid": type is required',
    'warning onconflict: unknown field "onconflict" is ignored: did you mean "on_conflict"?',
    'warning tasks.4.dependson: unknown field "dependson" is ignored: did you mean "depends_on"?',
  ])
})

test('what is no graph at all', () => {
  assert.deepEqual(linesOf(null), ['error tasks: task graph is empty'])
  assert.deepEqual(linesOf({}), ['error tasks: task graph is empty'])
  assert.deepEqual(linesOf([]), ['error : expected an object, got an array'])
  assert.deepEqual(linesOf({ tasks: {} }), ['error tasks: expected an array of tasks, got an object'])
})

test('each knot of tasks that wait for each other is named by one cycle', () => {
  const task = (id: string, ...depends_on: string[]) => ({ id, type: 'noop', depends_on })
  const lines = linesOf({
    tasks: [
      task('a', 'b'),
      task('b', 'c'),
      task('c', 'a', 'b'),
      task('d', 'a'),
      task('x', 'y'),
      task('y', 'x'),
    ],
  })
  assert.deepEqual(lines, [
    'error tasks.0.depends_on: cycle detected in task graph: a → b → c → a (each waits for the next)',
    'error tasks.4.depends_on: cycle detected in task graph: x → y → x (each waits for the next)',
  ])
})

test('a cycle of 50,000 tasks neither overflows the stack nor fills the screen', () => {
  const tasks = Array.from({ length: 50_000 }, (_, at) => ({
    id: `t${at}`,
    type: 'noop',
    depends_on: [`t${(at + 1) % 50_000}`],
  }))
  const lines = linesOf({ tasks })
  assert.equal(lines.length, 1)
  assert.match(lines[0]!, /t0 → t1 → .* → … \(49990 more\) → t0/)
})

test('it finds a problem where the daemon would refuse, and none where it would accept', () => {
  const pick = (...items: unknown[]): unknown => items[Math.floor(Math.random() * items.length)]
  for (let round = 0; round < 2000; round++) {
    const tasks = Array.from({ length: 1 + Math.floor(Math.random() * 4) }, () => ({
      id: pick('a', 'b', 'c', 'd', 'e', '', null),
      type: pick('noop', 'noop', 'shell', 'os', 'mcp', 'x', ''),
      depends_on: pick([], [], ['a'], ['b', 'c'], null, 'a'),
      retry: pick(0, 1, -1, 1.5),
      priority: pick(5, 0, 9, 10),
      run_if: pick('success', 'always', 'failure', 'never'),
      annotations: pick({}, { a: 'b' }, { a: 1 }),
    }))
    const parsed = parseGraph({ tasks })
    const isAccepted = parsed.ok && planGraph(parsed.value.tasks, DEFAULT_LIMITS).ok
    assert.equal(linesOf({ tasks }).length === 0, isAccepted, JSON.stringify(tasks))
  }
})
