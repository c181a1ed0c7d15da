/** GETs a second of one finished task. */
import { repeated, sendAll, withConnections } from '../client.ts'
import { flat } from '../graphs.ts'
import { get, post } from '../requests.ts'
import { type Scenario, onEach, secondsOf } from '../scenario.ts'

const CONNECTIONS = 32

export const reads: Scenario = {
  figures: ['get'],
  async run(world) {
    const { gets } = world.counts
    await onEach(world, this.figures, { hasFloor: true }, async ({ server, sample, settled }) => {
      const request = get('/tasks/one-0')
      await withConnections(server.port, CONNECTIONS, async (connections) => {
        await sendAll(connections, repeated(post('/tasks', flat('one', 1)), 1), 202)
        await settled(1)
        await sendAll(connections, repeated(request, gets), 200)
        const seconds = await secondsOf(() => sendAll(connections, repeated(request, gets), 200))
        sample('get', gets / seconds)
      })
    })
  },
}
