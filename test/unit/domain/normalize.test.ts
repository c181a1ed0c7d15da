import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newGraph } from '../../../src/domain/graph-record.ts'
import { newTask } from '../../../src/domain/new-task.ts'
import { isKnownType, normalize } from '../../../src/domain/normalize.ts'
import { handleOf, toolInputJson } from '../../../src/domain/task.ts'
import { accepted, submitted } from '../../support/tasks.ts'

const ALIASES = ['noop', 'shell', 'file', 'http', 'dns', 'tcp', 'sleep']
const CATEGORIES = ['cli-skills', 'mcp', 'os']

describe('normalize', () => {
  for (const type of ALIASES) {
    it(`${type} → os with that tool, and its params as its input`, () =>
      assert.deepEqual(normalize(submitted('a', { type, toolName: 'ignored', paramsJson: '{"a":1}' })), {
        type: 'os',
        toolName: type,
        executionCategory: 'os',
        inputJson: '{"a":1}',
      }))
  }

  for (const type of CATEGORIES) {
    it(`${type} stays as it is`, () =>
      assert.deepEqual(normalize(submitted('a', { type, toolName: 'x', paramsJson: '{"a":1}' })), {
        type,
        toolName: 'x',
        executionCategory: '',
        inputJson: '',
      }))
  }

  it('keeps an input that is there', () =>
    assert.equal(
      normalize(submitted('a', { paramsJson: '{"a":1}', inputJson: '{"b":2}' })).inputJson,
      '{"b":2}',
    ))

  it('keeps an empty object as an input', () =>
    assert.equal(normalize(submitted('a', { paramsJson: '{"a":1}', inputJson: '{}' })).inputJson, '{}'))

  it('makes an unknown type of a kept record a tool that does not exist', () =>
    assert.deepEqual(normalize(submitted('a', { type: 'gone' })), {
      type: 'os',
      toolName: 'gone',
      executionCategory: 'os',
      inputJson: '',
    }))
})

describe('isKnownType', () => {
  it('knows ten types', () => assert.ok([...ALIASES, ...CATEGORIES].every(isKnownType)))
  it('knows no other', () =>
    assert.ok(!['', 'OS', 'noop ', 'toString', '__proto__', 'mcp.execute'].some(isKnownType)))
})

describe('newTask', () => {
  it('is ready where it depends on nothing', () => {
    const task = accepted('a')
    assert.equal(task.phase, 'ready')
    assert.equal(task.waitingFor, 0)
    assert.deepEqual([task.attempt, task.failures, task.startedMs, task.ref], [0, 0, 0, -1])
    assert.deepEqual([task.envelope, task.error, task.dependents], [null, '', null])
    assert.deepEqual(task.progress, [])
  })

  it('waits for each place in depends_on', () => {
    const task = accepted('a', { dependsOn: ['b', 'c', 'b'] })
    assert.equal(task.phase, 'blocked')
    assert.equal(task.waitingFor, 3)
  })

  it('notes that an mcp task was accepted', () => {
    const task = accepted('a', { type: 'mcp' }, handleOf(12))
    assert.equal(task.handleId, 'mcp-1000000000000012')
    assert.deepEqual(task.progress, [{ atMs: task.createdMs, message: 'task accepted' }])
  })

  it('keeps what the record says of its category', () => {
    const identity = { key: 1, graph: newGraph(1, 1, 0, false), createdMs: 0, handleId: '', attempt: 3 }
    const kept = newTask(submitted('a', { type: 'os' }), { ...identity, executionCategory: 'os' })
    assert.equal(kept.executionCategory, 'os')
    assert.equal(kept.attempt, 3)
    assert.equal(newTask(submitted('a', { type: 'os' }), identity).executionCategory, '')
    assert.equal(newTask(submitted('a'), { ...identity, executionCategory: '' }).executionCategory, 'os')
  })
})

describe('toolInputJson', () => {
  const both = { paramsJson: '{"p":1}', inputJson: '{"i":1}' }
  it('is params first for os', () => {
    assert.equal(toolInputJson(accepted('a', { type: 'os', ...both })), '{"p":1}')
    assert.equal(toolInputJson(accepted('a', { type: 'os', inputJson: '{"i":1}' })), '{"i":1}')
    assert.equal(toolInputJson(accepted('a', { type: 'os' })), '')
  })
  for (const type of ['mcp', 'cli-skills']) {
    it(`is input first for ${type}`, () => {
      assert.equal(toolInputJson(accepted('a', { type, ...both })), '{"i":1}')
      assert.equal(toolInputJson(accepted('a', { type, paramsJson: '{"p":1}' })), '{"p":1}')
    })
  }
})
