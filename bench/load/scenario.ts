/** What the scenarios share: whom they measure, with how much, and where the figures go. */
import type { Column } from '../figures.ts'
import type { Measurements } from '../measurements.ts'
import type { Counts } from './counts.ts'
import type { Durability } from './graphs.ts'
import { untilSucceeded } from './progress.ts'
import { FLOOR, type Program, Server, execgo, peer } from './server.ts'

export interface World {
  readonly counts: Counts
  readonly record: Measurements
  /** Shell command of the other server; null for none. */
  readonly peer: string | null
  /** Flags for the daemon's node. */
  readonly nodeFlags: string
  /** Whether this figure is asked for. */
  readonly wants: (figure: string) => boolean
  /** Tells how far it is. */
  readonly say: (line: string) => void
}

/** Measures some figures in one go, once a round. */
export interface Scenario {
  readonly figures: readonly string[]
  run(world: World): Promise<void>
}

/** A server as one column of the table. */
export interface Contestant {
  readonly column: Column
  readonly server: Server
  readonly durability: Durability
  /** Keeps a figure of this round. */
  sample(figure: string, value: number): void
  /** Resolves when `count` tasks are over since the server's start; the floor's are at the answer. */
  settled(count: number, pollMs?: number): Promise<void>
}

interface Setup {
  readonly hasFloor?: boolean
  readonly hasRelaxed?: boolean
  readonly maxConcurrency?: number
}

/** Starts each server in its turn, afresh, and measures it. One that fails is noted, and the others go on. */
export const onEach = async (
  world: World,
  figures: readonly string[],
  setup: Setup,
  measure: (contestant: Contestant) => Promise<void>,
): Promise<void> => {
  for (const [column, program] of entrants(world, setup)) {
    await measureOne(world, figures, column, async () => {
      const server = await Server.start(program, setup.maxConcurrency)
      try {
        await measure({
          column,
          server,
          durability: column === 'relaxed' ? 'relaxed' : 'durable',
          sample: (figure, value) => keep(world, figure, column, value),
          settled: (count, pollMs) =>
            column === 'floor' ? Promise.resolve() : untilSucceeded(server.port, count, pollMs),
        })
      } finally {
        await server.stop()
      }
    })
  }
}

/** Keeps a figure of this round and shows it. */
export const keep = (world: World, figure: string, column: Column, value: number): void => {
  if (!world.wants(figure)) return
  world.record.sample(figure, column, value)
  world.say(`${figure} ${column}: ${value.toPrecision(4)}`)
}

/** Measures; what goes wrong becomes a note on each of the figures. */
export const measureOne = async (
  world: World,
  figures: readonly string[],
  column: Column,
  measure: () => Promise<void>,
): Promise<void> => {
  try {
    await measure()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    world.record.hasFailed = true
    world.say(`${figures.join(', ')} ${column} failed: ${reason}`)
    for (const figure of figures)
      if (world.wants(figure)) world.record.note(figure, `${column} failed: ${reason}`)
  }
}

const entrants = (world: World, setup: Setup): [Column, Program][] => {
  const program = execgo(world.nodeFlags)
  return [
    ...(setup.hasFloor ? [['floor', FLOOR] satisfies [Column, Program]] : []),
    ['durable', program],
    ...(setup.hasRelaxed ? [['relaxed', program] satisfies [Column, Program]] : []),
    ...(world.peer === null ? [] : [['peer', peer(world.peer)] satisfies [Column, Program]]),
  ]
}

/** Seconds that `work` takes. */
export const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1000
}
