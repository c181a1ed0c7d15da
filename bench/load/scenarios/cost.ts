/**
 * What a task costs in graphs of all sizes: from the first submission until all are over, divided by the tasks. Each
 * size and shape meets a server of its own. Flat and fan-out-and-in graphs come on eight connections; chains one after
 * another, for their time is that of one task there and back.
 */
import { CHAIN_SIZES, GRAPH_SIZES } from '../../figures.ts'
import { Connection } from '../client.ts'
import { type LoadRequest, sendAll, submissions } from '../generator.ts'
import { chain, fan, flat } from '../graphs.ts'
import { post } from '../requests.ts'
import { type Contestant, type Scenario, type World, onEach, secondsOf } from '../scenario.ts'

const CONNECTIONS = 8
const WARM_UP_GRAPHS = 50
const WARM_UP_SIZE = 100
/** A chain of 1,000 takes some 30 ms: the look that sees its end must not come late. */
const POLL_MS = 1

interface Shape {
  readonly name: 'flat' | 'fan' | 'chain'
  readonly sizes: readonly number[]
  readonly graph: (prefix: string, size: number) => string
}

const costOf = (shape: Shape): Scenario => ({
  figures: [...shape.sizes.map((size) => `cost-${shape.name}-${size}`), `cost-${shape.name}`],
  async run(world) {
    for (const size of shape.sizes) {
      const figure = `cost-${shape.name}-${size}`
      if (!world.wants(figure)) continue
      if (size > world.counts.largestGraph) world.record.note(figure, 'not with --quick')
      else await onEach(world, [figure], {}, (contestant) => measure(world, shape, size, contestant))
    }
    summarise(world, shape)
  },
})

const measure = async (world: World, shape: Shape, size: number, contestant: Contestant): Promise<void> => {
  const { server, sample, settled } = contestant
  const figure = `cost-${shape.name}-${size}`
  const isChain = shape.name === 'chain'
  const count = Math.max(1, Math.floor(world.counts.costTasks / (isChain ? 10 : 1) / size))
  const warm = submissions(WARM_UP_GRAPHS, (at) => shape.graph(`w${at}`, WARM_UP_SIZE))
  const graphs = submissions(count, (at) => shape.graph(`g${at}`, size))
  const before = WARM_UP_GRAPHS * WARM_UP_SIZE
  await sendAll(server.port, CONNECTIONS, warm, 202)
  await settled(before)
  let refusal = ''
  const seconds = await secondsOf(async () => {
    if (count === 1 || isChain) refusal = await oneByOne(server.port, graphs, size, before, settled)
    else {
      await sendAll(server.port, CONNECTIONS, graphs, 202)
      await settled(before + count * size)
    }
  })
  if (refusal === '') sample(figure, (seconds * 1e6) / (count * size))
  else world.record.note(figure, `skipped, ${contestant.column} refused it: ${refusal}`)
}

/** Returns why a graph was refused, `''` when none was. */
const oneByOne = async (
  port: number,
  graphs: readonly LoadRequest[],
  size: number,
  before: number,
  settled: Contestant['settled'],
): Promise<string> => {
  const connection = await Connection.open(port)
  try {
    let over = before
    for (const { path, body } of graphs) {
      const { status, text } = await connection.ask(post(path, body!))
      if (status !== 202) return `${status} ${text.slice(0, 200)}`
      over += size
      await settled(over, POLL_MS)
    }
    return ''
  } finally {
    connection.close()
  }
}

/** The dearest size against the first one. */
const summarise = (world: World, shape: Shape): void => {
  for (const column of ['durable', 'peer'] as const) {
    const costs = shape.sizes.map((size) => world.record.valueOf(`cost-${shape.name}-${size}`, column))
    const base = costs[0]
    const others = costs.slice(1).filter((cost) => cost !== undefined)
    if (base === undefined || others.length === 0) continue
    const dearest = Math.max(...others) / base
    if (world.wants(`cost-${shape.name}`)) world.record.sample(`cost-${shape.name}`, column, dearest)
  }
}

export const costs: readonly Scenario[] = [
  costOf({ name: 'flat', sizes: GRAPH_SIZES, graph: flat }),
  costOf({ name: 'fan', sizes: GRAPH_SIZES, graph: fan }),
  costOf({ name: 'chain', sizes: CHAIN_SIZES, graph: chain }),
]
