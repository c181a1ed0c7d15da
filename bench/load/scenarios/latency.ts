/**
 * From a POST until a GET shows the task as over, one after another, asked back to back: by `fetch`, which is what a
 * program has that submits one task and waits for it.
 */
import { median } from '../../measurements.ts'
import { type Durability, flat } from '../graphs.ts'
import { type Scenario, onEach } from '../scenario.ts'

export const latency: Scenario = {
  figures: ['latency'],
  async run(world) {
    const { latencies } = world.counts
    await onEach(
      world,
      this.figures,
      { hasFloor: true, hasRelaxed: true },
      async ({ server, durability, sample }) => {
        const url = `http://127.0.0.1:${server.port}/tasks`
        for (let at = 0; at < latencies; at++) await thereAndBack(url, `w${at}`, durability)
        const times: number[] = []
        for (let at = 0; at < latencies; at++) times.push(await thereAndBack(url, `l${at}`, durability))
        sample('latency', median(times))
      },
    )
  },
}

const HEADERS = { 'Content-Type': 'application/json' }

const thereAndBack = async (url: string, prefix: string, durability: Durability): Promise<number> => {
  const body = flat(prefix, 1, durability)
  const startedAt = performance.now()
  const submitted = await fetch(url, { method: 'POST', headers: HEADERS, body })
  const answer = await submitted.text()
  if (submitted.status !== 202) throw new Error(`${submitted.status} ${answer}`)
  for (;;) {
    const task = await (await fetch(`${url}/${prefix}-0`)).text()
    if (task.includes('"status":"success"')) return performance.now() - startedAt
    if (task.includes('"status":"failed"')) throw new Error(task)
  }
}
