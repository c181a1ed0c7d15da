import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import stringWidth from 'string-width'
import type { EventType, Task } from '../../../src/client/index.ts'
import { briefly, outputLines, tail } from '../../../src/commands/run/task-output.ts'
import { oneLine } from '../../../src/commands/table.ts'
import { Tracker } from '../../../src/commands/run/tracker.ts'
import { view } from '../../../src/commands/run/view.ts'

const NO_PAINT = (_: unknown, text: string): string => text

const note = (tracker: Tracker, type: EventType, id: string, more: object = {}, nowMs = 0) =>
  tracker.note({ id: 1, type, task_id: id, graph_id: 'g-1', at: '', ...more }, nowMs)

const linesOf = (tracker: Tracker, nowMs: number, columns = 80, rows = 24): string[] => {
  const lines = view(tracker, 0, nowMs, { columns, rows }, NO_PAINT)
  for (const line of lines) assert.ok(stringWidth(line) < columns, line)
  assert.ok(lines.length < rows)
  return lines
}

describe('the view of a graph', () => {
  test('counts by what events say, each task once', () => {
    const tracker = new Tracker(5)
    for (const id of ['a', 'b', 'c']) note(tracker, 'task_started', id)
    assert.deepEqual([tracker.running.size, tracker.waiting, tracker.over], [3, 2, 0])
    assert.deepEqual(note(tracker, 'task_succeeded', 'a', {}, 70), { how: 'success', ranMs: 70 })
    assert.equal(note(tracker, 'task_retried', 'b'), null)
    assert.deepEqual([tracker.running.size, tracker.waiting, tracker.over], [1, 3, 1])
    note(tracker, 'task_started', 'b', { attempt: 2 })
    note(tracker, 'task_failed', 'b')
    note(tracker, 'task_cancelled', 'c')
    assert.deepEqual(note(tracker, 'task_skipped', 'd', {}, 9), { how: 'skipped', ranMs: 0 })
    assert.equal(tracker.isOver, false)
    note(tracker, 'task_skipped', 'e')
    assert.equal(tracker.isOver, true)
    assert.deepEqual(tracker.ends, { success: 1, failed: 1, cancelled: 1, skipped: 2 })
  })

  test('a line for each task that runs, and one for all', () => {
    const tracker = new Tracker(4)
    note(tracker, 'task_started', 'build', { attempt: 2 })
    note(tracker, 'task_started', '構建', {}, 1000)
    note(tracker, 'task_progressed', '構建', { message: 'half\nway' }, 1500)
    note(tracker, 'task_failed', 'lint')
    assert.deepEqual(linesOf(tracker, 62_000), [
      '⠋ build  1:02  attempt 2',
      '⠋ 構建   1:01  half way',
      '━━━━━───────────────  1/4 done · 1 failed · 2 running · 1 waiting  1:02',
    ])
  })

  test('what only flickers by has no line', () => {
    const tracker = new Tracker(1)
    note(tracker, 'task_started', 'quick', {}, 900)
    assert.equal(linesOf(tracker, 1000).length, 1)
    assert.equal(linesOf(tracker, 1300).length, 2)
  })

  test('fits any terminal, whatever ids and messages are', () => {
    const tracker = new Tracker(100_000)
    for (let at = 0; at < 50; at++) {
      note(tracker, 'task_started', `${'長い名前'.repeat(at)}\u001b[2J-${at}`)
      note(tracker, 'task_progressed', `${'長い名前'.repeat(at)}\u001b[2J-${at}`, {
        message: 'm\t'.repeat(99),
      })
    }
    for (const type of ['task_failed', 'task_cancelled', 'task_skipped'] as const)
      for (let at = 0; at < 999; at++) note(tracker, type, `${type}${at}`)
    for (const columns of [20, 40, 61, 80, 200])
      for (const rows of [5, 10, 24, 100]) {
        const lines = linesOf(tracker, 3_600_000 * 9, columns, rows)
        assert.ok(lines.every((line) => !line.includes('\u001b')))
        assert.ok(lines.length >= 2)
      }
    assert.match(linesOf(tracker, 1000).at(-2)!, /^ {2}… and 38 more$/)
    assert.match(
      linesOf(tracker, 1000, 120).at(-1)!,
      / 2997\/100000 done · 999 failed · 999 cancelled · 999 skipped/,
    )
  })
})

describe('what a task put out', () => {
  const of = (result: unknown, error?: string): Task =>
    ({ id: 'a', status: 'failed', result, ...(error === undefined ? {} : { error }) }) as Task

  test('what it printed, named where there are two', () => {
    assert.deepEqual(outputLines(of({ stdout: 'a\n', stderr: '', exit_code: 0 })), [['', 'a\n']])
    assert.deepEqual(outputLines(of({ stdout: 'a', stderr: 'b' })), [
      ['stdout', 'a'],
      ['stderr', 'b'],
    ])
    assert.deepEqual(outputLines(of({ command: 'x', output: 'both' })), [['', 'both']])
    assert.deepEqual(outputLines(of({ status_code: 200 })), [['', '{"status_code":200}']])
    assert.deepEqual(outputLines(of(undefined)), [])
    assert.deepEqual(outputLines(of('text')), [['', 'text']])
  })

  test('the last lines, which no terminal obeys', () => {
    assert.deepEqual(tail('1\n2\r\n\u001b[31m3\u0001\t4\n\n', 2), ['… 1 line before', '2', '3\ufffd  4'])
    assert.deepEqual(tail('10%\r50%\r100%\ndone\r\n', 2), ['100%', 'done'])
    assert.deepEqual(tail('1', 2), ['1'])
  })

  test('a line of megabytes takes no longer than many short ones', () => {
    const long = 'x'.repeat(4_000_000)
    const startMs = performance.now()
    assert.deepEqual(tail(`${long}\ry`, Number.POSITIVE_INFINITY), ['y'])
    assert.equal(oneLine(' '.repeat(4_000_000)).length, 4_000_000)
    assert.ok(performance.now() - startMs < 10_000)
    assert.equal(oneLine('a \r\n\n b\t\n'), 'a b')
  })

  test('briefly: the error, or the last line', () => {
    assert.equal(briefly(of({ stdout: 'a\nb\n', stderr: '' })), 'b')
    assert.equal(briefly(of({ stdout: 'a', stderr: '' }, 'failed so')), 'failed so')
    assert.equal(briefly(of({})), '{}')
    assert.equal(briefly(of(null)), '')
  })
})
