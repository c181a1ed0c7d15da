import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/domain/json.ts'
import { InputFields } from '../../../../workers/tools/input.ts'
import { attemptOf } from '../support.ts'

const fieldsOf = (input: JsonObject, inputJson = JSON.stringify(input)): InputFields =>
  new InputFields(input, attemptOf({ inputJson }), 'demo params', 'DemoParams')

test('reads each kind of field, absent or null as nothing', () => {
  const fields = fieldsOf({ s: 'text', n: 5, a: ['x', null], m: { k: 'v' }, none: null })
  assert.equal(fields.string('s'), 'text')
  assert.equal(fields.integer('n'), 5)
  assert.deepEqual(fields.strings('a'), ['x', ''])
  assert.deepEqual(fields.stringEntries('m'), [['k', 'v']])
  for (const name of ['none', 'absent']) {
    assert.equal(fields.string(name), '')
    assert.equal(fields.integer(name), 0)
    assert.equal(fields.strings(name), null)
    assert.deepEqual(fields.stringEntries(name), [])
  }
  assert.equal(fields.problem, null)
})

test('names match in any case, the exact one first', () => {
  assert.equal(fieldsOf({ Command: 'a' }).string('command'), 'a')
  assert.equal(fieldsOf({ COMMAND: 'a', command: 'b' }).string('command'), 'b')
})

test('says what is wrong in the words that clients know', () => {
  const problemOf = (input: JsonObject, read: (fields: InputFields) => unknown): string | null => {
    const fields = fieldsOf(input)
    read(fields)
    return fields.problem
  }
  const message = (kind: string, type: string): string =>
    `parse demo params: json: cannot unmarshal ${kind} into Go struct field DemoParams.x of type ${type}`
  assert.equal(
    problemOf({ x: 1 }, (fields) => fields.string('x')),
    message('number', 'string'),
  )
  assert.equal(
    problemOf({ x: true }, (fields) => fields.string('x')),
    message('bool', 'string'),
  )
  assert.equal(
    problemOf({ x: '5' }, (fields) => fields.integer('x')),
    message('string', 'int64'),
  )
  assert.equal(
    problemOf({ x: 1.5 }, (fields) => fields.integer('x')),
    message('number 1.5', 'int64'),
  )
  assert.equal(
    problemOf({ x: 1e30 }, (fields) => fields.integer('x')),
    message('number 1e+30', 'int64'),
  )
  assert.equal(
    problemOf({ x: 'a' }, (fields) => fields.strings('x')),
    message('string', '[]string'),
  )
  assert.equal(
    problemOf({ x: ['a', {}] }, (fields) => fields.strings('x')),
    message('object', 'string'),
  )
  assert.equal(
    problemOf({ x: [] }, (fields) => fields.stringEntries('x')),
    message('array', 'map[string]string'),
  )
  assert.equal(
    problemOf({ x: { k: 1 } }, (fields) => fields.stringEntries('x')),
    message('number', 'string'),
  )
})

test('keeps the first problem, and knows an input that is not there', () => {
  const fields = fieldsOf({ x: 1, y: 2 })
  fields.string('x')
  fields.string('y')
  assert.match(fields.problem ?? '', /DemoParams\.x/)
  assert.equal(fieldsOf({}, '').problem, 'parse demo params: unexpected end of JSON input')
  assert.equal(fieldsOf({}, 'null').problem, null)
})
