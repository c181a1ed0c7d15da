/** `execgo graph`: how far a graph is; without an id, the graphs that there are. */
import { Command } from 'commander'
import type { Client, Graph, Task } from '../client/index.ts'
import { clientOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { wholeNumberIn } from './option-values.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { GRAPH_COLUMNS, graphText, sizeOf, tasksText } from './show.ts'
import { tableOf } from './table.ts'
import type { Terminal } from './terminal.ts'

interface Options extends OutputOptions {
  readonly limit: number
}

/** Of a graph's tasks, so many are looked at. */
const MOST_TASKS = 30

export const graphCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('graph')
        .description('Shows how far a graph is; without an id, the newest graphs.')
        .argument('[graph_id]', 'as submit said it, such as g-12')
        .option('-n, --limit <n>', 'how many graphs are listed', wholeNumberIn(1, 1e9), 20),
    ),
    [
      ['graph', 'the newest graphs'],
      ['graph g-12', 'one of them, and its tasks'],
    ],
  ).action(async (graphId: string | undefined, options: Options) => {
    const output = new Output(terminal, options)
    const client = clientOf(terminal)
    const { signal } = terminal
    if (graphId === undefined) return list(client, options.limit, output, signal)
    const graph = await client.graphs.get(graphId, { signal })
    await output.value(graph, async () => {
      const tasks = await tasksOf(client, graph, signal)
      return `${graphText(graph, output)}\n${tasksText(tasks, output)}`
    })
  })

const list = async (client: Client, limit: number, output: Output, signal: AbortSignal): Promise<void> => {
  const graphs = firstOf(client.graphs.list({ signal }), limit)
  if (output.format !== 'table') return output.list(graphs)
  const rows: Graph[] = []
  for await (const graph of graphs) rows.push(graph)
  if (rows.length > 0) await output.write(tableOf(GRAPH_COLUMNS, rows, output.width, output.paint))
}

async function* firstOf<T>(values: AsyncIterable<T>, limit: number): AsyncGenerator<T, void> {
  let left = limit
  for await (const value of values) {
    yield value
    if (--left <= 0) return
  }
}

/** All of a small graph; of a large one what failed. */
const tasksOf = async (client: Client, graph: Graph, signal: AbortSignal): Promise<readonly Task[]> => {
  const of = { graphId: graph.graph_id, limit: MOST_TASKS, signal }
  const isSmall = sizeOf(graph.counts) <= MOST_TASKS
  return (await client.page(isSmall ? of : { ...of, status: 'failed' })).tasks
}
