import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Slices } from '../../../src/scheduler/slices.ts'

it('long work lets others have their turns, short work does not wait', async () => {
  const turnsIn = async (stepMs: number): Promise<number> => {
    let turns = 0
    let isOver = false
    const count = (): void => {
      turns++
      if (!isOver) setImmediate(count)
    }
    const slices = new Slices()
    setImmediate(count)
    for (let step = 0; step < 100; step++) {
      await slices.next()
      const endMs = performance.now() + stepMs
      while (performance.now() < endMs);
    }
    isOver = true
    return turns
  }
  assert.ok((await turnsIn(1)) >= 5)
  assert.ok((await turnsIn(0)) < 50)
})
