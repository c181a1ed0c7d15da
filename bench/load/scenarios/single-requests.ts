/** Requests a second of one noop each: until the last one is answered, and until all of the tasks are over. */
import { sendAll, submissions } from '../generator.ts'
import { flat } from '../graphs.ts'
import { type Scenario, onEach } from '../scenario.ts'

const CONNECTIONS = 32

export const singleRequests: Scenario = {
  figures: ['requests', 'requests-over'],
  async run(world) {
    const { requests } = world.counts
    await onEach(
      world,
      this.figures,
      { hasFloor: true, hasRelaxed: true },
      async ({ server, durability, sample, settled }) => {
        const warm = submissions(requests, (at) => flat(`w${at}`, 1, durability))
        const measured = submissions(requests, (at) => flat(`g${at}`, 1, durability))
        await sendAll(server.port, CONNECTIONS, warm, 202)
        await settled(warm.length)
        const startedAt = await sendAll(server.port, CONNECTIONS, measured, 202)
        sample('requests', (requests * 1000) / (performance.now() - startedAt))
        await settled(warm.length + requests)
        sample('requests-over', (requests * 1000) / (performance.now() - startedAt))
      },
    )
  },
}
