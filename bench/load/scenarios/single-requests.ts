/** Requests a second of one noop each: until the last one is answered, and until all of the tasks are over. */
import { each, sendAll, withConnections } from '../client.ts'
import { flat } from '../graphs.ts'
import { submissions } from '../requests.ts'
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
        await withConnections(server.port, CONNECTIONS, async (connections) => {
          await sendAll(connections, each(warm), 202)
          await settled(warm.length)
          const startedAt = performance.now()
          await sendAll(connections, each(measured), 202)
          sample('requests', (requests * 1000) / (performance.now() - startedAt))
          await settled(warm.length + requests)
          sample('requests-over', (requests * 1000) / (performance.now() - startedAt))
        })
      },
    )
  },
}
