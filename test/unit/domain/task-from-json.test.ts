import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../../src/domain/json.ts'
import { recordStatus, unfinishedTask } from '../../../src/domain/task-from-json.ts'
import { liveTaskJson } from '../../../src/domain/task-json.ts'
import { accepted } from '../../support/tasks.ts'

const NOW_MS = 1_800_000_000_000
const read = (record: JsonObject) => unfinishedTask('a', record, 42, NOW_MS)

describe('the status of a record', () => {
  for (const status of ['success', 'failed', 'skipped'] as const)
    it(status, () => assert.equal(recordStatus({ status }), status))
  for (const status of ['pending', 'running', 'SUCCESS', '', 'cancelled', 1, null, true, ['success'], {}])
    it(`${JSON.stringify(status)} is pending`, () => assert.equal(recordStatus({ status }), 'pending'))
  it('none is pending', () => assert.equal(recordStatus({}), 'pending'))
})

describe('a record of the original server', () => {
  const record = {
    id: 'fetch',
    type: 'os',
    params: { command: 'hostname' },
    depends_on: ['first', 'second'],
    retry: 2,
    timeout: 5000,
    tool_name: 'shell',
    input: { command: 'hostname' },
    annotations: { team: 'a' },
    execution_category: 'os',
    status: 'running',
    run_status: 'running',
    runtime: { status: 'running', started_at: '2026-04-03T18:14:24+08:00', attempt: 2, details: null },
    created_at: '2026-04-03T18:14:23.805123456+08:00',
    updated_at: '2026-04-03T18:14:24.1+08:00',
  }

  it('waits for its turn again, and goes on counting its attempts', () => {
    const task = unfinishedTask('fetch', record, 42, NOW_MS)
    assert.deepEqual(
      {
        key: task.key,
        id: task.id,
        type: task.type,
        toolName: task.toolName,
        executionCategory: task.executionCategory,
        paramsJson: task.paramsJson,
        inputJson: task.inputJson,
        annotationsJson: task.annotationsJson,
        dependsOn: task.dependsOn,
        retry: task.retry,
        timeoutMs: task.timeoutMs,
        handleId: task.handleId,
        createdMs: task.createdMs,
        phase: task.phase,
        attempt: task.attempt,
        failures: task.failures,
        startedMs: task.startedMs,
      },
      {
        key: 42,
        id: 'fetch',
        type: 'os',
        toolName: 'shell',
        executionCategory: 'os',
        paramsJson: '{"command":"hostname"}',
        inputJson: '{"command":"hostname"}',
        annotationsJson: '{"team":"a"}',
        dependsOn: ['first', 'second'],
        retry: 2,
        timeoutMs: 5000,
        handleId: '',
        createdMs: 1_775_211_263_805,
        phase: 'blocked',
        attempt: 2,
        failures: 0,
        startedMs: 0,
      },
    )
  })

  it('of a convenience type without a tool_name is normalised', () => {
    const task = read({ type: 'shell', params: { command: 'ls' }, status: 'pending' })
    assert.deepEqual(
      [task.type, task.toolName, task.executionCategory, task.inputJson],
      ['os', 'shell', 'os', '{"command":"ls"}'],
    )
  })

  it('of a type that nobody knows becomes a tool that does not exist', () =>
    assert.deepEqual([read({ type: 'gone' }).type, read({ type: 'gone' }).toolName], ['os', 'gone']))

  it('keeps its handle, or gets one where it has none', () => {
    assert.equal(
      read({ type: 'mcp', handle_id: 'mcp-1775182513428872000' }).handleId,
      'mcp-1775182513428872000',
    )
    assert.equal(read({ type: 'mcp' }).handleId, 'mcp-1000000000000042')
    assert.equal(read({ type: 'os', handle_id: 'mcp-1' }).handleId, '')
  })

  it('goes by the name that it is kept under', () => assert.equal(read({ id: 'other', type: 'os' }).id, 'a'))
})

describe('fields that are missing or of a wrong type are absent', () => {
  const empty = {
    type: 'os',
    toolName: '',
    paramsJson: '',
    inputJson: '',
    annotationsJson: '',
    dependsOn: [],
    retry: 0,
    timeoutMs: 0,
    attempt: 0,
    createdMs: NOW_MS,
    phase: 'ready',
  }
  const RECORDS: readonly (readonly [string, JsonObject])[] = [
    ['all are missing', {}],
    [
      'all are null',
      {
        type: null,
        params: null,
        input: null,
        annotations: null,
        depends_on: null,
        retry: null,
        timeout: null,
        tool_name: null,
        runtime: null,
        created_at: null,
      },
    ],
    [
      'all are of another type',
      {
        type: 1,
        params: [],
        input: 'x',
        annotations: true,
        depends_on: 'b',
        retry: '3',
        timeout: [5],
        tool_name: {},
        runtime: [{ attempt: 3 }],
        created_at: 1_775_211_263,
      },
    ],
    [
      'numbers are below zero, and times none',
      { retry: -1, timeout: -0.5, runtime: { attempt: -2 }, created_at: '0001-99-01T00:00:00Z' },
    ],
  ]
  for (const [what, record] of RECORDS) {
    it(what, () => {
      const task = read(record) as unknown as Record<string, unknown>
      assert.deepEqual(Object.fromEntries(Object.keys(empty).map((key) => [key, task[key]])), empty)
    })
  }

  it('and so are dependencies that are no texts', () =>
    assert.deepEqual(read({ depends_on: ['b', 1, null, ['c'], 'd'] }).dependsOn, ['b', 'd']))

  it('and fractions', () => {
    const task = read({ retry: 2.9, timeout: 0.5, runtime: { attempt: 1.5 } })
    assert.deepEqual([task.retry, task.timeoutMs, task.attempt], [2, 0, 1])
  })
})

describe('a record and back', () => {
  it('keeps a pending task as it is', () => {
    const task = accepted('a', {
      type: 'cli-skills',
      paramsJson: '{"__proto__":{"x":1},"n":1.5}',
      annotationsJson: '{"k":"v"}',
      dependsOn: ['b'],
      retry: 1,
      timeoutMs: 9,
    })
    const json = liveTaskJson(task)
    assert.equal(liveTaskJson(unfinishedTask('a', JSON.parse(json) as JsonObject, 1, NOW_MS)), json)
  })

  it('makes a running task pending', () => {
    const task = accepted('a', { type: 'mcp' }, 'mcp-9')
    task.phase = 'running'
    task.attempt = 4
    task.startedMs = task.createdMs + 1
    const back = unfinishedTask('a', JSON.parse(liveTaskJson(task)) as JsonObject, 1, NOW_MS)
    assert.deepEqual([back.phase, back.attempt, back.startedMs, back.handleId], ['ready', 4, 0, 'mcp-9'])
  })
})
