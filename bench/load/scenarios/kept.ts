/**
 * A daemon that keeps very many finished tasks. One server goes through it all:
 *
 * ```
 * 500,000 tasks, /health probed ─► state.json written ─► stall ─► memory ─► commands ─► 1,000,000 tasks ─► idle CPU ─► pages
 * ```
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AT_ONCE, echoes, xargs } from '../commands.ts'
import { sendAll, submissions } from '../generator.ts'
import { flat } from '../graphs.ts'
import { startProbe } from '../probe.ts'
import { anonymousMb, cpuSeconds, hasProc } from '../processes.ts'
import { measurePages } from './pages.ts'
import { type Contestant, type Scenario, type World, keep, onEach } from '../scenario.ts'

const CONNECTIONS = 8
const GRAPH = 100
/** What was in the air has come down by then. */
const CALM_MS = 20_000
const SETTLE_MS = 2000

export const kept: Scenario = {
  figures: ['stall', 'memory', 'shell-kept', 'idle', 'page'],
  async run(world) {
    await onEach(world, this.figures, { maxConcurrency: AT_ONCE }, async (contestant) => {
      const { counts } = world
      await measureStall(world, contestant)
      let over = counts.kept
      if (world.wants('memory')) await measureMemory(world, contestant)
      if (world.wants('shell-kept')) over += await measureCommands(world, contestant, over)
      if (!world.wants('idle') && !world.wants('page')) return
      await fill(contestant, 'i', over, counts.keptIdle)
      if (world.wants('idle')) await measureIdle(world, contestant)
      if (world.wants('page')) await measurePages(world, contestant, counts.keptIdle)
    })
  },
}

const fill = async (
  { server, settled }: Contestant,
  prefix: string,
  from: number,
  to: number,
): Promise<void> => {
  const graphs = submissions(Math.ceil((to - from) / GRAPH), (at) => flat(`${prefix}${at}`, GRAPH))
  await sendAll(server.port, CONNECTIONS, graphs, 202)
  await settled(from + graphs.length * GRAPH)
}

const measureStall = async (world: World, contestant: Contestant): Promise<void> => {
  const { kept, saveWithinMs } = world.counts
  const endProbe = world.wants('stall') ? await startProbe(contestant.server.port) : null
  await fill(contestant, 'k', 0, kept)
  const isSaved = await savedAfter(contestant.server.dataDir, Date.now(), saveWithinMs)
  const probed = await endProbe?.()
  if (probed === undefined) return
  contestant.sample('stall', probed.longestMs)
  world.record.note(
    'stall',
    `${contestant.column}: the prober's own timer was ${probed.longestLateMs.toFixed(1)} ms late at worst${
      isSaved ? '' : '; no state.json was written after the last task'
    }`,
  )
}

/** Resolves to whether state.json was written after `sinceMs`, within `withinMs`. */
const savedAfter = async (dataDir: string, sinceMs: number, withinMs: number): Promise<boolean> => {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(50)) {
    const mtimeMs = await stat(join(dataDir, 'state.json')).then(
      (found) => found.mtimeMs,
      () => 0,
    )
    if (mtimeMs > sinceMs) return true
  }
  return false
}

const measureMemory = async (world: World, { server, sample }: Contestant): Promise<void> => {
  if (!hasProc) return world.record.note('memory', 'skipped: it needs /proc')
  if (world.counts.saveWithinMs > 0) await sleep(SETTLE_MS)
  sample('memory', anonymousMb(server.pid))
}

/** Returns how many tasks it took. */
const measureCommands = async (world: World, contestant: Contestant, before: number): Promise<number> => {
  const { commands } = world.counts
  if (world.record.valueOf('shell-kept', 'floor') === undefined) {
    keep(world, 'shell-kept', 'floor', await xargs(commands))
  }
  await echoes(contestant, 'w', commands, before)
  contestant.sample('shell-kept', await echoes(contestant, 's', commands, before + commands))
  return commands + commands
}

const measureIdle = async (world: World, contestant: Contestant): Promise<void> => {
  if (!hasProc) return world.record.note('idle', 'skipped: it needs /proc')
  const { idleMs, saveWithinMs } = world.counts
  // The save that is due is no idling.
  await savedAfter(contestant.server.dataDir, Date.now(), saveWithinMs)
  // Nor is what V8 does once, some seconds after the last task, to give memory back.
  if (saveWithinMs > 0) await sleep(CALM_MS)
  const startedAt = performance.now()
  const taken = cpuSeconds(contestant.server.pid)
  await sleep(idleMs)
  const seconds = cpuSeconds(contestant.server.pid) - taken
  contestant.sample('idle', (seconds * 100_000) / (performance.now() - startedAt))
}
