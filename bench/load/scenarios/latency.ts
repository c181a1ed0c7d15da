/** From a POST until a GET shows the task as over, one after another on one connection, asked back to back. */
import { median } from '../../measurements.ts'
import { Connection } from '../client.ts'
import { type Durability, flat } from '../graphs.ts'
import { get, post } from '../requests.ts'
import { type Scenario, onEach, warmUp } from '../scenario.ts'

export const latency: Scenario = {
  figures: ['latency'],
  async run(world) {
    const { latencies } = world.counts
    await onEach(
      world,
      this.figures,
      { hasFloor: true, hasRelaxed: true },
      async ({ server, durability, sample }) => {
        const connection = await Connection.open(server.port)
        for (let at = 0; at < warmUp(latencies); at++) await thereAndBack(connection, `w${at}`, durability)
        const times: number[] = []
        for (let at = 0; at < latencies; at++)
          times.push(await thereAndBack(connection, `l${at}`, durability))
        connection.close()
        sample('latency', median(times))
      },
    )
  },
}

const thereAndBack = async (
  connection: Connection,
  prefix: string,
  durability: Durability,
): Promise<number> => {
  const submit = post('/tasks', flat(prefix, 1, durability))
  const look = get(`/tasks/${prefix}-0`)
  const startedAt = performance.now()
  const { status, text } = await connection.ask(submit)
  if (status !== 202) throw new Error(`${status} ${text}`)
  for (;;) {
    const task = (await connection.ask(look)).text
    if (task.includes('"status":"success"')) return performance.now() - startedAt
    if (task.includes('"status":"failed"')) throw new Error(task)
  }
}
