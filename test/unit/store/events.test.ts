import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Task } from '../../../src/domain/task.ts'
import { decodeEvents, EventEncoder, type TaskNote } from '../../../src/store/events.ts'
import { accepted, graphOf } from '../../support/tasks.ts'

const told = (encoder: EventEncoder, add: () => void): string[] => {
  encoder.begin()
  add()
  const lines: string[] = []
  for (const { text, count } of encoder.end()) {
    const events = decodeEvents(lines.length + 1, text)
    assert.equal(events.length, count)
    for (const { id, type, taskId, attempt, message } of events) {
      assert.equal(id, lines.length + 1)
      lines.push(`${type.replace('task_', '')} ${taskId} ${attempt} ${message}`.trim())
    }
  }
  return lines
}

const over = (task: Task, phase: Task['phase'], error = ''): Task =>
  Object.assign(task, { phase, error, updatedMs: 7 })

const begun = (task: Task): TaskNote => {
  task.attempt++
  task.startedMs = 5
  return { type: 'task_started', task, atMs: 5, attempt: task.attempt, message: '', after: 0 }
}

describe('events', () => {
  it('are those of each task, in order, whatever its id', () => {
    const encoder = new EventEncoder()
    const tasks = ['a', '"]\n,é', ''].map((id) => accepted(id))
    assert.deepEqual(
      told(encoder, () => encoder.submitted(graphOf(...tasks))),
      ['submitted a 0', 'submitted "]\n,é 0', 'submitted  0'],
    )
  })

  it('say once that an attempt began, also where it is over in the same commit', () => {
    const encoder = new EventEncoder()
    const [slow, quick, skipped] = ['slow', 'quick', 'skipped'].map((id) => accepted(id)) as [
      Task,
      Task,
      Task,
    ]
    assert.deepEqual(
      told(encoder, () => encoder.noted(begun(slow))),
      ['started slow 1'],
    )
    begun(quick)
    const ended = told(encoder, () => {
      encoder.ended(over(slow, 'failed', 'why'))
      encoder.ended(over(quick, 'success'))
      encoder.ended(over(skipped, 'skipped', 'dependency slow failed'))
    })
    assert.deepEqual(ended, [
      'failed slow 1 why',
      'started quick 1',
      'succeeded quick 1',
      'skipped skipped 0 dependency slow failed',
    ])
  })

  it('are as they were where a group was not written', () => {
    const encoder = new EventEncoder()
    const task = accepted('a')
    told(encoder, () => encoder.noted(begun(task)))
    over(task, 'success')
    const first = told(encoder, () => encoder.ended(task))
    encoder.takeBack()
    assert.deepEqual(
      told(encoder, () => encoder.ended(task)),
      first,
    )
    assert.deepEqual(first, ['succeeded a 1'])
  })

  it('are not taken back by a later group that could not begin', () => {
    const encoder = new EventEncoder()
    const task = accepted('a')
    told(encoder, () => encoder.noted(begun(task)))
    // Written: the next one fails before it takes anything down.
    encoder.begin()
    encoder.takeBack()
    assert.deepEqual(
      told(encoder, () => encoder.ended(over(task, 'success'))),
      ['succeeded a 1'],
    )
  })

  it('come before the next end of the commit that they belong to', () => {
    const encoder = new EventEncoder()
    const [first, second] = ['first', 'second'].map((id) => accepted(id)) as [Task, Task]
    const notes = [begun(first), { ...begun(second), after: 1 }]
    const lines = told(encoder, () => {
      const noted = encoder.notedUpTo(notes, 0, 0)
      encoder.ended(over(first, 'success'))
      encoder.notedUpTo(notes, noted, 1)
    })
    assert.deepEqual(lines, ['started first 1', 'succeeded first 1', 'started second 1'])
  })

  it('of many tasks are in several records', () => {
    const encoder = new EventEncoder()
    const tasks = Array.from({ length: 2500 }, (_, at) => accepted(`t${at}`))
    assert.equal(told(encoder, () => encoder.submitted(graphOf(...tasks))).length, 2500)
    assert.equal(encoder.end().length, 3)
    assert.ok(encoder.end().every(({ count }) => count <= 1001))
  })

  it('name a reason, not a book', () => {
    const encoder = new EventEncoder()
    const [line] = told(encoder, () => encoder.ended(over(accepted('a'), 'failed', 'x'.repeat(5000))))
    assert.equal(line, `failed a 0 ${'x'.repeat(1000)}…`)
  })
})
