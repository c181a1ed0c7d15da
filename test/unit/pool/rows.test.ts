import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Assignment, Outcome } from '../../../src/pool/messages.ts'
import { assignmentRows, assignmentsIn, outcomeRows, outcomesIn } from '../../../src/pool/rows.ts'

test('assignments come out of their rows as they went in', () => {
  const first: Assignment = {
    ref: 0,
    taskId: 'a task',
    graphKey: 1,
    category: 'os',
    toolName: 'noop',
    inputJson: '{"message":"中"}',
    attempt: 2,
    handleId: 'mcp-1',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  }
  const like = { ...first, ref: 1, taskId: 'another' }
  const others: Partial<Assignment>[] = [
    { graphKey: 2 },
    { category: 'mcp' },
    { toolName: '' },
    { inputJson: '' },
    { attempt: 3 },
    { handleId: '' },
    { traceparent: '' },
  ]
  const all = [first, like, ...others.flatMap((other) => [{ ...first, ...other }, like, { ...like, ref: 7 }])]
  assert.deepEqual(assignmentsIn(structuredClone(assignmentRows(all))), all)
  assert.deepEqual(assignmentsIn(assignmentRows([])), [])
})

test('outcomes come out of their rows as they went in', () => {
  const first: Outcome = {
    ref: 3,
    status: 'failed',
    outputJson: '{}',
    detailsJson: '{"a":1}',
    startedMs: 1,
    finishedMs: 2,
    ranMs: 1.25,
    message: 'no',
    code: 'external_failure',
    retryable: true,
    isFinal: false,
  }
  const like = { ...first, ref: 4, ranMs: 0.5 }
  const others: Partial<Outcome>[] = [
    { status: 'success' },
    { status: 'aborted', isFinal: true },
    { outputJson: '' },
    { detailsJson: '' },
    { startedMs: 0 },
    { finishedMs: 3 },
    { message: '' },
    { code: 'internal' },
    { retryable: false },
    { isFinal: true },
  ]
  const all = [first, like, ...others.flatMap((other) => [{ ...first, ...other }, like, { ...like, ref: 7 }])]
  assert.deepEqual(outcomesIn(structuredClone(outcomeRows(all))), all)
})
