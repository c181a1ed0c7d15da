/** Tasks a second in graphs of 100: ten layers of ten, from the first submission until all of them are over. */
import { sendAll, submissions } from '../generator.ts'
import { layered } from '../graphs.ts'
import { type Scenario, onEach } from '../scenario.ts'

const CONNECTIONS = 8
const WIDTH = 10
const DEPTH = 10

export const throughput: Scenario = {
  figures: ['tasks'],
  async run(world) {
    const { graphs } = world.counts
    await onEach(
      world,
      this.figures,
      { hasFloor: true, hasRelaxed: true },
      async ({ server, durability, sample, settled }) => {
        const warm = submissions(graphs, (at) => layered(`w${at}`, WIDTH, DEPTH, durability))
        const measured = submissions(graphs, (at) => layered(`g${at}`, WIDTH, DEPTH, durability))
        await sendAll(server.port, CONNECTIONS, warm, 202)
        await settled(warm.length * WIDTH * DEPTH)
        const startedAt = await sendAll(server.port, CONNECTIONS, measured, 202)
        await settled((warm.length + graphs) * WIDTH * DEPTH)
        sample('tasks', (graphs * WIDTH * DEPTH * 1000) / (performance.now() - startedAt))
      },
    )
  },
}
