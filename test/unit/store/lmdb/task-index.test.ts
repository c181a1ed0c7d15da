import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Task } from '../../../../src/domain/task.ts'
import { hashOf } from '../../../../src/store/lmdb/hash-table.ts'
import { CODES } from '../../../../src/store/lmdb/heads.ts'
import { TaskIndex, UNFINISHED, WAITING } from '../../../../src/store/lmdb/task-index.ts'
import { accepted } from '../../../support/tasks.ts'

const taskOf = (key: number, id: string): Task => Object.assign(accepted(id), { key })

/** What is found one after the other. */
const found = (index: TaskIndex, from: number, step: 1 | -1, codes: Uint8Array | null): number[] => {
  const keys: number[] = []
  for (let key = index.find(from, step, codes); key >= 0; key = index.find(key + step, step, codes))
    keys.push(key)
  return keys
}

/** Two ids of one hash. */
const ALIKE = ['brwrui', 'zfqgta'] as const

describe('the index of tasks', () => {
  it('is right about every task, whatever becomes of them in any order', () => {
    const step = fc.record({
      do: fc.constantFrom('add', 'write', 'end', 'remove', 'drop'),
      at: fc.nat(),
      id: fc.constantFrom('a', 'b', 'c', ...ALIKE),
      // Neighbours, and keys of pages far apart.
      gap: fc.constantFrom(1, 1, 1, 8192, 100_000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = new TaskIndex()
        const codes = new Map<number, { readonly id: string; code: number }>()
        const held = new Map<number, Task>()
        let lastKey = 0
        for (const { do: what, at, id, gap } of steps) {
          const keys = [...codes.keys()]
          const key = keys[at % keys.length] ?? 0
          const { code } = codes.get(key) ?? { code: 0 }
          if (what === 'add') {
            lastKey += gap
            const task = taskOf(lastKey, id)
            const isKnown = [...codes.values()].some((other) => hashOf(other.id) === hashOf(id))
            assert.equal(index.add(task), isKnown, 'whether its hash was there')
            codes.set(lastKey, { id, code: WAITING })
            held.set(lastKey, task)
          } else if (what === 'write' && code === WAITING) {
            index.setUnfinished(key, key + 1)
            codes.get(key)!.code = UNFINISHED
          } else if (what === 'end' && code === UNFINISHED) {
            index.setFinished(key, index.hash(key), CODES.failed, key + 2, key + 3, key + 4)
            codes.get(key)!.code = CODES.failed
          } else if (what === 'remove' && code !== 0) {
            index.remove(key)
            codes.delete(key)
          } else if (what === 'drop') {
            const dropped = [...held.keys()][at % held.size] ?? 0
            index.drop(dropped)
            held.delete(dropped)
          }
        }
        const finished = [...codes].filter(([, { code }]) => code === CODES.failed)
        assert.equal(index.finished, finished.length)
        assert.deepEqual([...index.keys()], [...codes.keys()])
        assert.deepEqual([...index.tasks(1, lastKey)], [...held.values()])
        const failedKeys = finished.map(([key]) => key)
        const failedCode = Uint8Array.from({ length: WAITING + 1 }, (_, code) =>
          Number(code === CODES.failed),
        )
        assert.deepEqual(found(index, 0, 1, failedCode), failedKeys)
        assert.deepEqual(found(index, lastKey + 9000, -1, failedCode), failedKeys.toReversed())
        assert.deepEqual(found(index, 0, 1, null), [...held.keys()])
        assert.deepEqual(found(index, lastKey, -1, null), [...held.keys()].toReversed())
        for (let key = 1; key <= lastKey; key += key < 100 ? 1 : 97) {
          assert.equal(index.code(key), codes.get(key)?.code ?? 0)
          assert.equal(index.task(key), held.get(key) ?? null)
        }
        for (const [key, { id, code }] of codes) {
          assert.ok(index.candidates(id).includes(key))
          const place = { batch: key + 2, offset: key + 3, length: key + 4 }
          assert.deepEqual(index.place(key), code === CODES.failed ? place : null)
          const newest = [...held.values()].filter((task) => task.id === id && codes.has(task.key)).at(-1)
          assert.equal(index.taskOf(id), newest ?? null)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('finds a hundred thousand ids, after as many were removed', () => {
    const index = new TaskIndex()
    const count = 100_000
    for (let key = 1; key <= count; key++) index.add(taskOf(key, `t${key}`))
    for (let key = 1; key <= count; key++) {
      index.remove(key)
      index.drop(key)
      index.add(taskOf(count + key, `t${key}`))
    }
    for (let key = 1; key <= count; key++) assert.deepEqual(index.candidates(`t${key}`), [count + key])
    assert.deepEqual([...index.keys()].length, count)
  })
})
