import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Envelope } from '../../../src/domain/runtime.ts'
import { timeoutError } from '../../../src/domain/runtime.ts'
import { finishedTaskJson, liveTaskJson, publishedStatus } from '../../../src/domain/task-json.ts'
import { rfc3339 } from '../../../src/domain/time.ts'
import { accepted, ended, envelope } from '../../support/tasks.ts'

type Shape = { [key: string]: any }

/** Answers recorded from the original server. */
const RECORDED = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../conformance/expected.json', import.meta.url)), 'utf8'),
) as Record<string, Shape[]>

/** The recorded task `<tag>-<name>` of a case. */
const recorded = (of: string, name: string): Shape => {
  const task = RECORDED[of]?.map((answer) => answer[`<tag>-${name}`]).find((found) => found !== undefined)
  assert.ok(task, `${of} has no task ${name}`)
  return task
}

/** Every key in it that part A knows, at any depth, in the order of the alphabet: `runtime.error.code`. */
const keysOf = (value: Shape, under = ''): string[] =>
  Object.entries(value)
    .flatMap(([key, child]) => [
      `${under}${key}`,
      ...(typeof child === 'object' && child !== null && !Array.isArray(child)
        ? keysOf(child, `${under}${key}.`)
        : []),
    ])
    .filter((key) => key !== 'graph_id')
    .sort()

const toolError = (message: string): Envelope['error'] => ({
  code: 'external_failure',
  message,
  retryable: false,
  source: 'executor',
  detailsJson: '',
})

const parsed = (json: string): Shape => JSON.parse(json) as Shape

describe('a finished task has the shape that the original server answered', () => {
  it('noop', () => {
    const task = ended(
      accepted('<tag>-n', { paramsJson: '{"message":"hello api"}' }),
      envelope({ outputJson: '{"ok":true,"message":"hello api"}' }),
    )
    const expected = recorded('noop', 'n')
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(keysOf(found), keysOf(expected))
    assert.deepEqual(
      { ...found, runtime: { ...found.runtime, started_at: '<time>', finished_at: '<time>' } },
      {
        ...expected,
        graph_id: found.graph_id,
        created_at: found.created_at,
        updated_at: found.updated_at,
      },
    )
  })

  it('noop in the canonical style: what was given as input shows as params too', () => {
    const task = ended(
      accepted('<tag>-n', { type: 'os', toolName: 'noop', inputJson: '{"message":"x"}' }),
      envelope({ outputJson: '{"ok":true,"message":"x"}' }),
    )
    const expected = recorded('noop in the canonical style', 'n')
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(keysOf(found), keysOf(expected))
    assert.deepEqual([found.params, found.input], [expected.params, expected.input])
  })

  it('shell, with a duration', () => {
    const task = ended(
      accepted('<tag>-s', { type: 'os', toolName: 'shell', inputJson: '{"command":"echo","args":["hi"]}' }),
      envelope({
        outputJson: '{"stdout":"hi\\n","stderr":"","exit_code":0,"runner":"direct"}',
        finishedMs: 1_775_211_263_815,
      }),
    )
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(keysOf(found), keysOf(recorded('shell in the canonical style', 's')))
    assert.equal(found.runtime.duration_ms, 5)
  })

  it('a dependent', () => {
    const task = ended(
      accepted('<tag>-r', {
        type: 'file',
        dependsOn: ['<tag>-w'],
        paramsJson: '{"action":"read","path":"x"}',
      }),
      envelope({ outputJson: '{"content":"hello from execgo","size":17}' }),
    )
    const expected = recorded('write then read', 'r')
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(keysOf(found), keysOf(expected))
    assert.deepEqual(found.depends_on, expected.depends_on)
  })

  it('a failure', () => {
    const expected = recorded('command outside the allow list', 'b')
    const task = ended(
      accepted('<tag>-b', { type: 'shell', paramsJson: '{"command":"not-a-real-whitelisted-command"}' }),
      envelope({ status: 'failed', error: toolError(expected.error) }),
    )
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(keysOf(found), keysOf(expected))
    assert.deepEqual(found.runtime.error, expected.runtime.error)
    assert.deepEqual(
      [found.status, found.run_status, found.runtime.status, found.runtime.output, found.error],
      ['failed', 'failed', 'failed', null, expected.error],
    )
  })

  it('a skipped task that ran before, with the number of its last attempt', () => {
    const task = accepted('a', { dependsOn: ['b'] })
    task.phase = 'skipped'
    task.error = 'dependency b failed'
    task.attempt = 2
    const { status, runtime, run_status } = JSON.parse(finishedTaskJson(task))
    assert.deepEqual([status, runtime, run_status], ['skipped', { attempt: 2 }, undefined])
  })

  it('a skipped task', () => {
    const expected = recorded('dependents of a failed task are skipped, and theirs', 'c')
    const task = accepted('<tag>-c', { dependsOn: ['<tag>-b'], paramsJson: '{}' })
    task.phase = 'skipped'
    task.error = 'dependency <tag>-b skipped'
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(found, {
      ...expected,
      graph_id: found.graph_id,
      created_at: found.created_at,
      updated_at: found.updated_at,
    })
  })

  it('a timeout with a retry', () => {
    const expected = recorded('timeout with one retry', 't')
    const task = accepted('<tag>-t', {
      type: 'sleep',
      paramsJson: '{"duration_ms":300}',
      retry: 1,
      timeoutMs: 100,
    })
    task.attempt = 2
    ended(task, envelope({ status: 'failed', error: timeoutError, finishedMs: 1_775_211_263_910 }))
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(keysOf(found), keysOf(expected))
    assert.deepEqual(found.runtime.error, expected.runtime.error)
    assert.deepEqual([found.retry, found.timeout, found.runtime.attempt], [1, 100, 2])
  })
})

describe('a finished task', () => {
  it('shows a result for a failure too, and the same as runtime.output', () => {
    const task = ended(
      accepted('a'),
      envelope({
        status: 'failed',
        outputJson: '{"exit_code":3}',
        error: toolError('command failed: exit status 3'),
      }),
    )
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(found.result, { exit_code: 3 })
    assert.deepEqual(found.runtime.output, { exit_code: 3 })
  })

  it('has no result where the output is null', () => {
    const found = parsed(finishedTaskJson(ended(accepted('a'), envelope({ outputJson: 'null' }))))
    assert.ok(!('result' in found))
    assert.equal(found.runtime.output, null)
  })

  it('shows the details of its runtime and of its error', () => {
    const task = ended(
      accepted('a'),
      envelope({
        status: 'failed',
        detailsJson: '{"stdout_truncated_bytes":7}',
        error: { ...timeoutError, detailsJson: '{"why":"slow"}' },
      }),
    )
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(found.runtime.details, { stdout_truncated_bytes: 7 })
    assert.deepEqual(found.runtime.error.details, { why: 'slow' })
  })

  it('that was cancelled is failed, and says so beside it', () => {
    const task = ended(
      accepted('a'),
      envelope({
        status: 'cancelled',
        error: { ...timeoutError, code: 'cancelled', message: 'context canceled', retryable: false },
      }),
    )
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(
      [found.status, found.run_status, found.runtime.status],
      ['failed', 'cancelled', 'cancelled'],
    )
    assert.ok(!('retryable' in found.runtime.error))
  })

  it('of mcp shows its handle and its progress', () => {
    const task = ended(accepted('a', { type: 'mcp', toolName: 'demo.echo' }, 'mcp-7'), envelope())
    const found = parsed(finishedTaskJson(task))
    assert.equal(found.handle_id, 'mcp-7')
    assert.equal(found.runtime.handle_id, 'mcp-7')
    assert.deepEqual(found.progress, [{ timestamp: rfc3339(task.createdMs), message: 'task accepted' }])
  })

  it('keeps every character of what it was given', () => {
    const nasty = '"\\\u0000\u2028</script>任务😀\ud800'
    const task = ended(
      accepted(nasty, {
        type: 'os',
        toolName: nasty,
        dependsOn: [nasty],
        paramsJson: JSON.stringify({ [nasty]: nasty }),
        annotationsJson: JSON.stringify({ [nasty]: nasty }),
      }),
      envelope({ status: 'failed', error: toolError(nasty) }),
    )
    const found = parsed(finishedTaskJson(task))
    assert.deepEqual(
      [found.id, found.tool_name, found.error, found.runtime.error.message],
      [nasty, nasty, nasty, nasty],
    )
    assert.deepEqual(
      [found.params, found.annotations, found.depends_on],
      [{ [nasty]: nasty }, { [nasty]: nasty }, [nasty]],
    )
  })
})

describe('a task that is not over', () => {
  it('shows when and whether it runs, where that is not the usual', () => {
    const task = accepted('a', {
      priority: 0,
      runAtMs: 1_775_211_263_805,
      allowFailure: true,
      runIf: 'always',
    })
    const found = parsed(liveTaskJson(task))
    assert.deepEqual(
      [found.priority, found.run_at, found.allow_failure, found.run_if],
      [0, '2026-04-03T10:14:23.805Z', true, 'always'],
    )
  })

  it('that waits after an attempt says how many there were', () => {
    const task = accepted('a')
    task.attempt = 3
    assert.deepEqual(parsed(liveTaskJson(task)).runtime, { attempt: 3 })
  })

  it('shows what was submitted and that it is pending', () => {
    const task = accepted('a', { paramsJson: '{"message":"x"}', retry: 2, timeoutMs: 5 })
    assert.deepEqual(parsed(liveTaskJson(task)), {
      id: 'a',
      type: 'os',
      params: { message: 'x' },
      retry: 2,
      timeout: 5,
      tool_name: 'noop',
      input: { message: 'x' },
      execution_category: 'os',
      status: 'pending',
      graph_id: `g-${task.key}`,
      created_at: '2026-04-03T10:14:23.805Z',
      updated_at: '2026-04-03T10:14:23.805Z',
    })
  })

  it('leaves absent and empty fields out', () =>
    assert.deepEqual(Object.keys(parsed(liveTaskJson(accepted('a', { type: 'os' })))), [
      'id',
      'type',
      'status',
      'graph_id',
      'created_at',
      'updated_at',
    ]))

  it('shows input as params only once it ran', () => {
    const task = accepted('a', { type: 'os', toolName: 'noop', inputJson: '{"message":"x"}' })
    assert.ok(!('params' in parsed(liveTaskJson(task))))
    task.phase = 'running'
    task.startedMs = task.createdMs
    assert.deepEqual(parsed(liveTaskJson(task)).params, { message: 'x' })
    for (const type of ['mcp', 'cli-skills']) {
      const other = accepted('a', { type, inputJson: '{"a":1}' })
      other.startedMs = other.createdMs
      assert.ok(!('params' in parsed(liveTaskJson(other))), type)
    }
  })

  it('shows its attempt while it runs', () => {
    const task = accepted('a', {}, 'mcp-7')
    task.phase = 'running'
    task.attempt = 3
    task.startedMs = task.createdMs + 195
    const found = parsed(liveTaskJson(task))
    assert.equal(found.status, 'running')
    assert.equal(found.run_status, 'running')
    assert.equal(found.handle_id, 'mcp-7')
    assert.deepEqual(found.runtime, {
      status: 'running',
      started_at: '2026-04-03T10:14:24.000Z',
      attempt: 3,
      handle_id: 'mcp-7',
      details: null,
    })
  })

  it('shows nothing of an outcome that is not kept yet', () => {
    const task = ended(accepted('a'), envelope({ outputJson: '{"ok":true}' }))
    assert.equal(publishedStatus(task), 'running')
    const found = parsed(liveTaskJson(task))
    assert.deepEqual([found.status, found.run_status, found.result], ['running', 'running', undefined])

    const skipped = accepted('b', { dependsOn: ['a'] })
    skipped.phase = 'skipped'
    skipped.error = 'dependency a failed'
    assert.equal(parsed(liveTaskJson(skipped)).status, 'pending')
    assert.ok(!('error' in parsed(liveTaskJson(skipped))))
  })
})
