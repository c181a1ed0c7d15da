import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ok, refused, taskNotFound } from '../../../src/domain/errors.ts'
import { isJsonObject } from '../../../src/domain/json.ts'
import { DEFAULT_LIMITS } from '../../../src/domain/limits.ts'
import { ERROR_CODES, timeoutError, workerLost } from '../../../src/domain/runtime.ts'

describe('the runtime envelope', () => {
  it('knows fourteen codes', () =>
    assert.deepEqual(
      ERROR_CODES.join(' '),
      'unknown invalid_input launch_failed timeout cancelled memory_limit_exceeded cpu_limit_exceeded ' +
        'resource_limit_exceeded sandbox_setup_failed exit_nonzero denied not_found external_failure internal',
    ))

  it('says a timeout in the words of the guide', () =>
    assert.deepEqual(timeoutError, {
      code: 'timeout',
      message: 'context deadline exceeded',
      retryable: true,
      source: 'scheduler',
      detailsJson: '',
    }))

  it('says that a thread was lost, and why', () =>
    assert.deepEqual(workerLost('out of memory'), {
      code: 'internal',
      message: 'worker thread lost: out of memory',
      retryable: true,
      source: 'scheduler',
      detailsJson: '',
    }))
})

describe('results', () => {
  it('are values or problems', () => {
    assert.deepEqual(ok(1), { ok: true, value: 1 })
    assert.deepEqual(refused('conflict', 'no'), { ok: false, problem: { code: 'conflict', message: 'no' } })
    assert.deepEqual(taskNotFound('x'), refused('not_found', 'task not found: x'))
  })
})

describe('isJsonObject', () => {
  it('takes objects', () => assert.ok([{}, { a: 1 }, Object.create(null)].every(isJsonObject)))
  it('takes nothing else', () =>
    assert.ok(![null, undefined, [], [{}], 'x', 1, true].some((value) => isJsonObject(value))))
})

describe('the limits', () => {
  it('are those of the contract', () =>
    assert.deepEqual(DEFAULT_LIMITS, {
      bodyBytes: 33_554_432,
      tasksPerGraph: 100_000,
      dependenciesPerTask: 10_000,
      idBytes: 512,
      jsonDepth: 64,
      unfinishedTasks: 1_000_000,
      outputBytes: 1_048_576,
      httpBodyBytes: 1_048_576,
      fileBytes: 16_777_216,
      headerMs: 15_000,
      bodyMs: 300_000,
    }))
})
