import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ReadyQueue } from '../../../src/scheduler/ready-queue.ts'

describe('ReadyQueue', () => {
  it('gives nothing where nothing waits', () => {
    const queue = new ReadyQueue<number>()
    assert.equal(queue.size, 0)
    assert.equal(queue.take(), undefined)
    assert.equal(queue.size, 0)
  })

  it('is first in, first out, over any pushes and takes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -150, max: 200 }), { maxLength: 30 }), (steps) => {
        const queue = new ReadyQueue<number>()
        const model: number[] = []
        let next = 0
        for (const step of steps) {
          for (let n = 0; n < step; n++) {
            queue.push(next)
            model.push(next++)
          }
          for (let n = 0; n > step; n--) assert.equal(queue.take(), model.shift())
          assert.equal(queue.size, model.length)
        }
        while (model.length > 0) assert.equal(queue.take(), model.shift())
        assert.equal(queue.take(), undefined)
      }),
    )
  })

  it('holds nothing of what was taken', () => {
    const queue = new ReadyQueue<number | undefined>()
    for (let n = 0; n < 64; n++) queue.push(n)
    for (let n = 0; n < 64; n++) queue.take()
    queue.push(undefined)
    assert.equal(queue.size, 1)
    assert.equal(queue.take(), undefined)
    assert.equal(queue.size, 0)
  })

  it('holds a million', () => {
    const queue = new ReadyQueue<number>()
    for (let n = 0; n < 1_000_000; n++) queue.push(n)
    for (let n = 0; n < 1_000_000; n++) if (queue.take() !== n) assert.fail(`at ${n}`)
  })
})
