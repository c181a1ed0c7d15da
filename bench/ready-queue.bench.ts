/**
 * Does a task through the ready queue cost the same whether ten wait or 100,000, and less than through an array?
 *
 * It costs more when more wait: the ring is at fault. An array is as fast with 100,000: the ring can go.
 */
import type { Bench } from 'tinybench'
import { type Question, built } from './micro.ts'

/** Tasks through the queue in one call, so that the clock's own cost does not show. */
const BATCH = 100

export const readyQueue: Question = {
  name: 'ready-queue',
  async ask(bench: Bench) {
    const { ReadyQueue } =
      await built<typeof import('../src/scheduler/ready-queue.ts')>('src/scheduler/ready-queue')
    const task = { id: 'a', priority: 5 }
    for (const waiting of [10, 100_000]) {
      const shown = waiting.toLocaleString('en-US')
      const queue = new ReadyQueue<typeof task>()
      const array: object[] = []
      for (let at = 0; at < waiting; at++) {
        queue.push(task)
        array.push(task)
      }
      bench
        .add(`${BATCH} in and out, ${shown} wait`, () => {
          for (let at = 0; at < BATCH; at++) {
            queue.push(task)
            queue.take()
          }
        })
        .add(`${BATCH} in and out of an array, ${shown} wait`, () => {
          for (let at = 0; at < BATCH; at++) {
            array.push(task)
            array.shift()
          }
        })
    }
  },
}
