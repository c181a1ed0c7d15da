import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type GivenParams, fillParams } from '../../../src/commands/graph-params.ts'

const filled = (texts: unknown, given: GivenParams = {}, params?: object): unknown => {
  const { value, problems } = fillParams({ tasks: texts, ...(params === undefined ? {} : { params }) }, given)
  assert.deepEqual(problems, [])
  assert.deepEqual(Object.keys(value as object), ['tasks'])
  return (value as { tasks: unknown }).tasks
}

const problemsOf = (texts: unknown, given: GivenParams = {}, params: unknown = {}): string[] =>
  fillParams({ tasks: texts, params }, given).problems.map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  )

describe('parameters of a graph', () => {
  test('stand in texts, wherever they are', () => {
    const texts = ['${{ params.a }}', { deep: ['<${{params.a}}> ${{  params.b-c  }}'] }, 7, null, true]
    assert.deepEqual(filled(texts, { a: 'x', 'b-c': '' }), ['x', { deep: ['<x> '] }, 7, null, true])
  })

  test("the shell's own are left alone, and so is what is written twice", () => {
    const texts = ['${HOME} $HOME ${a:-b} $(date) {{ x }}', '$${{ params.a }}', '${{ open', '}} ${{']
    assert.deepEqual(filled(texts), [texts[0], '${{ params.a }}', '${{ open', '}} ${{'])
  })

  test('what they stand for is not filled in again', () => {
    const given = { a: '${{ params.b }} $& $1', b: 'x' }
    assert.deepEqual(filled(['<${{ params.a }}>', '${{ params.b }}'], given), [`<${given.a}>`, 'x'])
  })

  test('a text that is nothing else takes their type', () => {
    const params = { n: 5, flag: false, list: [1, 'two'], text: '5', object: { a: null } }
    assert.deepEqual(
      filled(
        Object.keys(params).map((name) => `\${{ params.${name} }}`),
        {},
        params,
      ),
      [5, false, [1, 'two'], '5', { a: null }],
    )
    assert.deepEqual(filled('${{ params.n }}${{ params.list }}', {}, params), '5[1,"two"]')
  })

  test('what is given takes the type of the default, or is JSON by name:=value', () => {
    const params = { n: 5, flag: false, text: '5', list: [1] }
    const given = { n: '7', flag: 'true', text: '8', list: '[2]', free: '9', 'json:': '10' }
    const names = ['n', 'flag', 'text', 'list', 'free', 'json']
    assert.deepEqual(
      filled(
        names.map((name) => `\${{ params.${name} }}`),
        given,
        params,
      ),
      [7, true, '8', [2], '9', 10],
    )
  })

  test('null may be given', () => {
    assert.deepEqual(filled(['${{ params.n }}', '<${{ params.n }}>'], { 'n:': 'null' }, { n: 5 }), [
      null,
      '<null>',
    ])
  })

  test('a name that every object has is a name like others', () => {
    assert.deepEqual(problemsOf('${{ params.constructor }}'), [
      'tasks: params.constructor is not given: --param constructor=…, or a default under params',
    ])
    assert.deepEqual(filled('${{ params.toString }}', { toString: 'x' } as unknown as GivenParams), 'x')
  })

  test('what is missing is named with its place, each time', () => {
    assert.deepEqual(problemsOf([{ a: '${{ params.gone }}' }, 'x ${{ params.gone }}'], {}, { gone: null }), [
      'tasks.0.a: params.gone is not given: --param gone=…, or a default under params',
      'tasks.1: params.gone is not given: --param gone=…, or a default under params',
    ])
  })

  test('what cannot be filled stays as it was, and the rest is filled', () => {
    const { value } = fillParams({ tasks: ['${{ params.a }}', '<${{ params.b }}>'] }, { a: '1' })
    assert.deepEqual(value, { tasks: ['1', '<${{ params.b }}>'] })
  })

  test('what is mistyped is refused', () => {
    assert.deepEqual(problemsOf(['${{ param.a }}']), [
      'tasks.0: ${{ param.a }}: only ${{ params.<name> }} is filled in ($${{ stands for ${{)',
    ])
    assert.deepEqual(problemsOf(['${{ params.a }}'], { b: '1' }, { a: 'x' }), [
      ': --param b: the graph has no such parameter (it has a)',
    ])
    assert.deepEqual(problemsOf([], { b: '1' }), [
      ': --param b: the graph has no such parameter (it has none)',
    ])
    assert.deepEqual(problemsOf(['${{ params.n }} ${{ params.n }}'], { n: 'many' }, { n: 1 }), [
      ': --param n: expected a number, got "many"',
    ])
    assert.deepEqual(problemsOf(['${{ params.f }}'], { f: '1' }, { f: true }), [
      ': --param f: expected true or false, got "1"',
    ])
    assert.deepEqual(problemsOf(['${{ params.j }}'], { 'j:': '{' }), [': --param j: expected JSON, got "{"'])
    assert.deepEqual(problemsOf([], {}, ['a']), [
      'params: params must be an object: names and their defaults',
    ])
    assert.deepEqual(problemsOf([], {}, { 'a b': 1 }), [
      'params.a b: a name is made of letters, digits, - and _',
    ])
  })

  test('what is no object, or too deep, is left to others', () => {
    for (const value of [null, 5, 'text', ['${{ params.a }}']])
      assert.deepEqual(fillParams(value, {}), { value, problems: [] })
    let deep: unknown = 'x'
    for (let level = 0; level < 5000; level++) deep = [deep]
    assert.match(fillParams({ tasks: deep }, {}).problems[0]!.message, /^nested more than 1000 levels deep$/)
  })
})
