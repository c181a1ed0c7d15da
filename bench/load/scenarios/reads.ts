/** GETs a second of one finished task. */
import { repeated, sendAll, submissions } from '../generator.ts'
import { flat } from '../graphs.ts'
import { type Scenario, onEach } from '../scenario.ts'

const CONNECTIONS = 32

export const reads: Scenario = {
  figures: ['get'],
  async run(world) {
    const { gets } = world.counts
    await onEach(world, this.figures, { hasFloor: true }, async ({ server, sample, settled }) => {
      await sendAll(
        server.port,
        1,
        submissions(1, () => flat('one', 1)),
        202,
      )
      await settled(1)
      const requests = repeated({ method: 'GET', path: '/tasks/one-0' }, gets)
      await sendAll(server.port, CONNECTIONS, requests, 200)
      const startedAt = await sendAll(server.port, CONNECTIONS, requests, 200)
      sample('get', (gets * 1000) / (performance.now() - startedAt))
    })
  },
}
