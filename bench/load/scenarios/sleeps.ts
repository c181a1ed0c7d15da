/** A thousand sleeps of a second with a thousand slots: everything over a second is the daemon's. */
import { Connection } from '../client.ts'
import { alike } from '../graphs.ts'
import { post } from '../requests.ts'
import { type Scenario, onEach, secondsOf } from '../scenario.ts'

export const sleeps: Scenario = {
  figures: ['sleeps'],
  async run(world) {
    const { sleeps: count, sleepMs } = world.counts
    await onEach(world, this.figures, { maxConcurrency: count }, async ({ server, sample, settled }) => {
      const connection = await Connection.open(server.port)
      const submit = async (prefix: string, durationMs: number, over: number): Promise<void> => {
        const body = alike(prefix, count, 'sleep', { duration_ms: durationMs })
        const { status, text } = await connection.ask(post('/tasks', body))
        if (status !== 202) throw new Error(`${status} ${text}`)
        await settled(over)
      }
      await submit('w', 1, count)
      sample('sleeps', await secondsOf(() => submit('s', sleepMs, 2 * count)))
      connection.close()
    })
  },
}
