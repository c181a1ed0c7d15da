/** `execgo graph`: how far a graph is, the graphs that there are, or a drawing of one. */
import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { Client, Graph, Task } from '../client/index.ts'
import { clientOf } from './connection.ts'
import { DRAWINGS, type Drawing, drawGraph } from './draw-graph.ts'
import { withExamples } from './examples.ts'
import { readGraphFile } from './graph-file.ts'
import { nameAndValue, wholeNumberIn } from './option-values.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { GRAPH_COLUMNS, graphAndTasksText, sizeOf } from './show.ts'
import { tableOf } from './table.ts'
import { CommandError, type Terminal } from './terminal.ts'

interface Options extends OutputOptions {
  readonly limit: number
  readonly format?: Drawing
  readonly param?: Readonly<Record<string, string>>
}

/** Of a graph's tasks, so many are looked at. */
const MOST_TASKS = 30

export const graphCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('graph')
        .description(
          'Shows how far a graph is; without an id, the newest graphs. With --format it draws one.',
        )
        .argument(
          '[graph_id|file]',
          'as submit said it, such as g-12; to be drawn also a file, or - for stdin',
        )
        .option('-n, --limit <n>', 'how many graphs are listed', wholeNumberIn(1, 1e9), 20)
        .addOption(new Option('--format <drawing>', 'draws it in the place of the table').choices(DRAWINGS))
        .option(
          '-p, --param <name=value>',
          `what $\{{ params.name }} in a file stands for; may come several times`,
          nameAndValue,
        ),
    ),
    [
      ['graph', 'the newest graphs'],
      ['graph g-12', 'one of them, and its tasks'],
      ['graph --format mermaid graph.yaml', 'a drawing for a Markdown page, without a daemon'],
      ['graph --format dot g-12 | dot -Tsvg > graph.svg', 'how far it is, as a picture'],
    ],
  ).action(async (graphId: string | undefined, options: Options) => {
    if (options.format !== undefined) return draw(graphId, options.format, options.param ?? {}, terminal)
    const output = new Output(terminal, options)
    const client = clientOf(terminal)
    const { signal } = terminal
    if (graphId === undefined) return list(client, options.limit, output, terminal)
    if (!isId(graphId) && existsSync(graphId))
      throw new CommandError(2, `graph: ${graphId} is a file: with --format mermaid it is drawn`)
    const graph = await client.graphs.get(graphId, { signal })
    await output.value(graph, async () => {
      const tasks = await tasksOf(client, graph, signal)
      return graphAndTasksText(graph, tasks, output)
    })
  })

const isId = (text: string): boolean => /^g-\d+$/.test(text)

const draw = async (
  what: string | undefined,
  drawing: Drawing,
  params: Readonly<Record<string, string>>,
  terminal: Terminal,
): Promise<void> => {
  if (what === undefined)
    throw new CommandError(2, 'graph: --format draws a graph of the daemon, or a file: name it')
  const isFile = !isId(what) || existsSync(what)
  const { tasks } = isFile
    ? await readGraphFile(what, { params, terminal, mayMiss: true })
    : await clientOf(terminal).wait({ graphId: what }, { timeoutMs: 0, signal: terminal.signal })
  if (!Array.isArray(tasks)) throw new CommandError(2, `${what}: it has no list of tasks`)
  await new Output(terminal, { output: 'table' }).write(drawGraph(tasks, drawing))
}

const list = async (
  client: Client,
  limit: number,
  output: Output,
  { signal, stderr }: Terminal,
): Promise<void> => {
  const graphs = firstOf(client.graphs.list({ signal }), limit)
  if (output.format !== 'table') return output.list(graphs)
  const rows: Graph[] = []
  for await (const graph of graphs) rows.push(graph)
  if (rows.length === 0) stderr.write('execgo: no graphs\n')
  else await output.write(tableOf(GRAPH_COLUMNS, rows, output.width, output.paint))
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
