import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSource } from '../../../src/commands/validate/source.ts'

const problemsOf = (text: string, isJson = true): string[] =>
  readSource(text, isJson).problems.map(
    ({ line, column, severity, message }) => `${line}:${column} ${severity} ${message}`,
  )

test('YAML knows where each part of it is', () => {
  const { value, problems, positionOf } = readSource(
    '# a graph\ntasks:\n  - id: a\n    retry: -1\n  - {id: b, depends_on: [a, x]}\n',
    false,
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(value, {
    tasks: [
      { id: 'a', retry: -1 },
      { id: 'b', depends_on: ['a', 'x'] },
    ],
  })
  for (const [path, line, column] of [
    [[], 2, 1],
    [['tasks'], 2, 1],
    [['tasks', 0, 'retry'], 4, 12],
    [['tasks', 1, 'depends_on'], 5, 13],
    [['tasks', 1, 'depends_on', 1], 5, 29],
    [['tasks', 1, 'type'], 5, 5],
    [['nothing', 'of', 'this'], 2, 1],
  ] as const)
    assert.deepEqual(positionOf(path), { line, column }, path.join('.'))
  assert.deepEqual(positionOf(['tasks', 0, 'retry'], 'key'), { line: 4, column: 5 })
})

test('a wrong JSON text is told at its place, whatever the engine says of it', () => {
  for (const [text, place] of [
    ['{"tasks": [1,]}', '1:14'],
    ['{"a": tru, "b": 1}', '1:10'],
    ["{\n  'a': 1}", '2:3'],
    ['[1 2]', '1:4'],
    ['{"a": 1 // so\n}', '1:9'],
    ['', '1:1'],
  ] as const) {
    const [first, ...more] = problemsOf(text)
    assert.equal(first?.split(' ')[0], place, `${text}: ${first}`)
    assert.deepEqual(more, [])
  }
})

test('a key that is there twice is an error of YAML, and a warning of JSON, which takes the last one', () => {
  assert.deepEqual(problemsOf('{"a": 1,\n"a": 2}'), ['2:1 warning Map keys must be unique'])
  assert.deepEqual(readSource('{"a": 1, "a": 2}', true).value, { a: 2 })
  assert.deepEqual(problemsOf('a: 1\na: 2', false), ['2:1 error Map keys must be unique'])
})

test('aliases that multiply are refused', () => {
  const levels = Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`)}]`)
  const [problem] = problemsOf(`a0: &a0 [x]\n${levels.join('\n')}`, false)
  assert.match(problem!, /with its aliases written out it is too large/)
})

test('many tasks may share what one of them says', () => {
  const tasks = Array.from({ length: 3000 }, (_, at) => `  - { <<: *common, id: t${at} }`)
  const text = `tasks:\n  - &common { id: first, type: noop }\n${tasks.join('\n')}`
  const { value, problems } = readSource(text, false)
  assert.deepEqual(problems, [])
  assert.deepEqual((value as { tasks: object[] }).tasks[3000], { id: 't2999', type: 'noop' })
})
