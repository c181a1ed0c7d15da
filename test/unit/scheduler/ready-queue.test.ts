import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ReadyQueue } from '../../../src/scheduler/ready-queue.ts'

interface Item {
  readonly n: number
  readonly priority: number
}

const item = (n: number, priority = 5): Item => ({ n, priority })

describe('ReadyQueue', () => {
  it('gives nothing where nothing waits', () => {
    const queue = new ReadyQueue<Item>()
    assert.equal(queue.size, 0)
    assert.equal(queue.take(), undefined)
    assert.equal(queue.size, 0)
  })

  it('drops those that died in line, and lets most of them go at once', () => {
    const dead = new Set<number>()
    const queue = new ReadyQueue<Item>(({ n }) => !dead.has(n))
    for (let n = 0; n < 3000; n++) queue.push(item(n, n % 10))
    for (let n = 0; n < 2998; n++) {
      dead.add(n)
      queue.noteDead()
    }
    assert.ok(queue.size < 1100, `${queue.size} are held for two`)
    assert.equal(queue.first?.n, 2999)
    assert.deepEqual([queue.take()?.n, queue.take()?.n, queue.take()], [2999, 2998, undefined])
    assert.equal(queue.size, 0)
  })

  it('knows the place of each in line', () => {
    const dead = new Set<number>()
    const queue = new ReadyQueue<Item>(({ n }) => !dead.has(n))
    const items = Array.from({ length: 200 }, (_, n) => item(n, (n * 7) % 10))
    for (const each of items) queue.push(each)
    for (const n of [3, 14, 15, 92]) {
      dead.add(n)
      queue.noteDead()
    }
    assert.equal(queue.alive, 196)
    const places = new Map(items.map((each) => [each, queue.placeOf(each)]))
    for (let place = 1; place <= 196; place++) assert.equal(places.get(queue.take()!), place)
    assert.equal(queue.placeOf(items[0]!), 0)
  })

  it('is first in, first out, over any pushes and takes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -150, max: 200 }), { maxLength: 30 }), (steps) => {
        const queue = new ReadyQueue<Item>()
        const model: Item[] = []
        let next = 0
        for (const step of steps) {
          for (let n = 0; n < step; n++) {
            const each = item(next++)
            queue.push(each)
            model.push(each)
          }
          for (let n = 0; n > step; n--) assert.equal(queue.take(), model.shift())
          assert.equal(queue.size, model.length)
        }
        while (model.length > 0) assert.equal(queue.take(), model.shift())
        assert.equal(queue.take(), undefined)
      }),
    )
  })

  it('gives a higher priority first, and within one the first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: 9 })), (steps) => {
        const queue = new ReadyQueue<Item>()
        const model: Item[] = []
        for (const [n, step] of steps.entries()) {
          if (step >= 0) {
            queue.push(item(n, step))
            model.push(item(n, step))
            model.sort((a, b) => b.priority - a.priority || a.n - b.n)
          } else assert.deepEqual(queue.take(), model.shift())
          assert.equal(queue.size, model.length)
        }
      }),
    )
  })

  it('holds a million', () => {
    const queue = new ReadyQueue<Item>()
    for (let n = 0; n < 1_000_000; n++) queue.push(item(n))
    for (let n = 0; n < 1_000_000; n++) if (queue.take()!.n !== n) assert.fail(`at ${n}`)
  })
})
