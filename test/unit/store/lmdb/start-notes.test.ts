import assert from 'node:assert/strict'
import { stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, describe, it } from 'node:test'
import type { Task } from '../../../../src/domain/task.ts'
import { StartNotes } from '../../../../src/store/lmdb/start-notes.ts'
import { applyStarts } from '../../../../src/store/lmdb/starts.ts'
import { accepted } from '../../../support/tasks.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const begun = (count: number): Task[] =>
  Array.from({ length: count }, (_, at) => Object.assign(accepted(`t${at}`), { attempt: 1 + (at % 3) }))

/** What somebody finds who opens the file anew, nothing having been closed: as after a crash. */
const found = (path: string, tasks: readonly Task[], id = 'one'): number[] => {
  const blank = new Map(tasks.map((task) => [task.key, { ...task, attempt: 0 }]))
  const notes = new StartNotes(path, id)
  applyStarts(notes.read(), blank)
  notes.close()
  return [...blank.values()].map(({ attempt }) => attempt)
}

const open = async (t: TestContext): Promise<{ path: string; notes: StartNotes }> => {
  const path = join(await tempDir(t), 'starts')
  const notes = new StartNotes(path, 'one')
  t.after(() => notes.close())
  return { path, notes }
}

describe('noted starts', () => {
  it('are found by who comes after a crash, the last of each task', async (t) => {
    const { path, notes } = await open(t)
    assert.equal(notes.read().length, 0, 'a new file has none')
    notes.reset([])
    const tasks = begun(100)
    notes.add(tasks)
    tasks[7]!.attempt = 9
    notes.add([tasks[7]!])
    assert.deepEqual(
      found(path, tasks),
      tasks.map(({ attempt }) => attempt),
    )
  })

  it('go round in a file of one size', async (t) => {
    const { path, notes } = await open(t)
    notes.reset([])
    const { size } = await stat(path)
    const old = begun(10)
    notes.add(old)
    const tasks = begun(50_000)
    notes.add(tasks)
    notes.add(tasks)
    assert.equal((await stat(path)).size, size)
    assert.deepEqual(
      found(path, tasks),
      tasks.map(({ attempt }) => attempt),
    )
    assert.deepEqual(
      found(path, old),
      old.map(() => 0),
    )
  })

  it('count for nothing where they were cleared, cut off, or are of another database', async (t) => {
    const { path, notes } = await open(t)
    notes.reset([])
    const tasks = begun(3)
    notes.add(tasks)
    assert.deepEqual(found(path, tasks, 'another'), [0, 0, 0])
    notes.reset([tasks[1]!])
    assert.deepEqual(found(path, tasks), [0, tasks[1]!.attempt, 0])
    notes.add(tasks)
    await truncate(path, 1000)
    assert.deepEqual(found(path, tasks), [0, 0, 0])
  })
})
