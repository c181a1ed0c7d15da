/** Commands a second of an empty daemon, beside xargs over the same count. */
import { AT_ONCE, echoes, xargs } from '../commands.ts'
import { type Scenario, keep, measureOne, onEach } from '../scenario.ts'

export const shell: Scenario = {
  figures: ['shell'],
  async run(world) {
    const { commands } = world.counts
    await measureOne(world, this.figures, 'floor', async () =>
      keep(world, 'shell', 'floor', await xargs(commands)),
    )
    await onEach(world, this.figures, { maxConcurrency: AT_ONCE }, async (contestant) => {
      await echoes(contestant, 'w', commands, 0)
      contestant.sample('shell', await echoes(contestant, 's', commands, commands))
    })
  },
}
