import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Task } from '../../../../src/domain/task.ts'
import { hashOf } from '../../../../src/store/lmdb/hash-table.ts'
import { CODES } from '../../../../src/store/lmdb/heads.ts'
import { BLOCK_KEYS } from '../../../../src/store/lmdb/facets.ts'
import type { Wanted } from '../../../../src/store/lmdb/index-page.ts'
import { TaskIndex, UNFINISHED, WAITING } from '../../../../src/store/lmdb/task-index.ts'
import { accepted } from '../../../support/tasks.ts'

const taskOf = (key: number, id: string, toolName = 'noop'): Task =>
  Object.assign(accepted(id), { key, toolName })

const ANY = new Uint8Array(256).fill(1)
const LEFT = ANY.map((_, code) => Number(code > 0))

interface Search extends Partial<Wanted> {
  readonly codes: Uint8Array | null
}

/** What is found one after the other. */
const found = (index: TaskIndex, from: number, step: 1 | -1, search: Search): number[] => {
  const keys: number[] = []
  const wanted = { kinds: ANY, prefix: '', ...search }
  for (let key = from; key >= 0; ) {
    const next = index.find(key, step, wanted)
    if (next >= 0) keys.push(next)
    key = next < 0 ? index.nextPage(key, step) : next + step
  }
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
        assert.deepEqual(found(index, 0, 1, { codes: failedCode }), failedKeys)
        assert.deepEqual(found(index, lastKey + 9000, -1, { codes: failedCode }), failedKeys.toReversed())
        assert.deepEqual(found(index, 0, 1, { codes: null }), [...held.keys()])
        assert.deepEqual(found(index, lastKey, -1, { codes: null }), [...held.keys()].toReversed())
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

  it('finds by tool and prefix what it knows, and whatever it does not know', () => {
    const step = fc.record({
      do: fc.constantFrom('add', 'add', 'read back', 'learn', 'remove', 'come back'),
      at: fc.nat(),
      id: fc.string({ unit: fc.constantFrom('a', 'b', '\uffff'), maxLength: 3 }),
      tool: fc.constantFrom('', 'noop', 'shell'),
      // Neighbours, another block and another page.
      gap: fc.constantFrom(1, 1, 1, 1, 256, 8192),
    })
    const asked = fc.record({
      tool: fc.constantFrom('', 'noop', 'none'),
      prefix: fc.constantFrom('', 'a', 'bb', 'c'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), asked, (steps, { tool, prefix }) => {
        const index = new TaskIndex()
        const tasks: Task[] = []
        const gone = new Set<Task>()
        const unknown = new Set<Task>()
        let lastKey = 0
        for (const { do: what, at, id, tool: toolName, gap } of steps) {
          const task = tasks[at % tasks.length]
          if (what === 'add' || what === 'read back') {
            lastKey += gap
            const made = taskOf(lastKey, id, toolName)
            tasks.push(made)
            if (what === 'add') index.add(made)
            else {
              index.setFinished(lastKey, hashOf(id), CODES.success, 1, 0, 0)
              unknown.add(made)
            }
          } else if (task === undefined) continue
          else if (what === 'learn' && !gone.has(task) && unknown.delete(task)) index.learn(task.key, task)
          else if (what === 'remove') {
            index.remove(task.key)
            index.drop(task.key)
            gone.add(task)
            // Its page may be gone with it.
            unknown.add(task)
          } else if (what === 'come back' && gone.delete(task)) {
            index.addUnfinished(task.key, hashOf(task.id), 1)
            index.hold(task)
            unknown.delete(task)
          }
        }
        const search = { codes: LEFT, kinds: index.kinds.asked(null, tool), prefix }
        const keys = found(index, 0, 1, search)
        assert.deepEqual(found(index, lastKey, -1, search), keys.toReversed())
        const left = tasks.filter((task) => !gone.has(task))
        for (const task of left) {
          const { key, id, toolName } = task
          const isOfTool = tool === '' || toolName === tool || unknown.has(task)
          const block = Math.floor(key / BLOCK_KEYS)
          const neighbours = tasks.filter((other) => Math.floor(other.key / BLOCK_KEYS) === block)
          const mayBeThere =
            neighbours.some((other) => !gone.has(other) && unknown.has(other)) ||
            (neighbours.some((other) => other.id >= prefix) &&
              neighbours.some((other) => other.id <= prefix || other.id.startsWith(prefix)))
          const isAsked = isOfTool && (id.startsWith(prefix) || unknown.has(task))
          if (isAsked) assert.ok(keys.includes(key), `${id} of ${toolName} is found`)
          if (keys.includes(key)) assert.ok(isOfTool && mayBeThere, `${id} of ${toolName} is passed over`)
        }
        for (const key of keys) assert.ok(left.some((task) => task.key === key))
      }),
      { numRuns: 500 },
    )
  })

  it('tells the first 254 tools apart; any other is to be looked at', () => {
    const index = new TaskIndex()
    for (let key = 1; key <= 300; key++) index.add(taskOf(key, `t${key}`, `tool${key}`))
    const ofTool = (tool: string): number[] =>
      found(index, 0, 1, { codes: LEFT, kinds: index.kinds.asked(null, tool) })
    const others = Array.from({ length: 46 }, (_, at) => 255 + at)
    assert.deepEqual(ofTool('tool7'), [7, ...others])
    assert.deepEqual(ofTool('tool300'), others)
    assert.deepEqual(ofTool(''), [...index.keys()])
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
