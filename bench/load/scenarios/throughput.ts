/** Tasks a second in graphs of 100: ten layers of ten, from the first submission until all of them are over. */
import { each, sendAll, withConnections } from '../client.ts'
import { layered } from '../graphs.ts'
import { submissions } from '../requests.ts'
import { type Scenario, onEach, secondsOf } from '../scenario.ts'

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
        await withConnections(server.port, CONNECTIONS, async (connections) => {
          await sendAll(connections, each(warm), 202)
          await settled(warm.length * WIDTH * DEPTH)
          const seconds = await secondsOf(async () => {
            await sendAll(connections, each(measured), 202)
            await settled((warm.length + graphs) * WIDTH * DEPTH)
          })
          sample('tasks', (graphs * WIDTH * DEPTH) / seconds)
        })
      },
    )
  },
}
