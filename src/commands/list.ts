/** `execgo list`: the tasks that there are, page by page, as they come. */
import { Command, Option } from 'commander'
import type { Client, PageOptions, Status, Task } from '../client/index.ts'
import { clientOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { wholeNumberIn } from './option-values.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { TASK_COLUMNS } from './show.ts'
import { Table } from './table.ts'
import type { Terminal } from './terminal.ts'

const STATUSES = ['pending', 'running', 'success', 'failed', 'skipped'] as const satisfies readonly Status[]
const LARGEST_PAGE = 1000

interface Options extends OutputOptions {
  readonly status?: Status
  readonly type?: string
  readonly tool?: string
  readonly graph?: string
  readonly prefix?: string
  readonly order?: 'created' | '-created'
  readonly limit?: number
  readonly cursor?: string
}

export const listCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('list')
        .alias('ls')
        .description('Lists tasks. The oldest comes first, unless you say otherwise.')
        .addOption(new Option('-s, --status <status>', 'only those that are so').choices(STATUSES))
        .option('--type <type>', 'only of this type: shell, http, mcp …')
        .option('--tool <name>', 'only of this tool')
        .option('-g, --graph <graph_id>', 'only of this graph')
        .option('--prefix <text>', 'only ids that begin with it')
        .addOption(new Option('--order <order>', '-created is newest first').choices(['created', '-created']))
        .option('-n, --limit <n>', 'no more than so many', wholeNumberIn(1, 1e9))
        .option('--cursor <cursor>', 'goes on where a list with --limit ended'),
    ),
    [
      ['list --status failed', 'what went wrong'],
      ['list --order -created --limit 10', 'the ten newest'],
      ['list --graph g-12 -o json | jq -r ".[].id"', 'the ids of a graph'],
    ],
  ).action(async (options: Options) => {
    const output = new Output(terminal, options)
    const { graph, status, type, tool, prefix, order, cursor } = options
    const asked = { graphId: graph, status, type, tool, prefix, order, cursor, signal: terminal.signal }
    const pages = pagesOf(clientOf(terminal), asked as PageOptions, options.limit ?? Number.POSITIVE_INFINITY)
    if (output.format === 'table') await printTable(pages, output, terminal)
    else await output.list(tasksIn(pages))
    if (pages.nextCursor !== null) terminal.stderr.write(`execgo: more with --cursor ${pages.nextCursor}\n`)
  })

interface Pages extends AsyncIterable<readonly Task[]> {
  /** Where it goes on after the last page that was asked for. */
  nextCursor: string | null
}

const pagesOf = (client: Client, asked: PageOptions, limit: number): Pages => ({
  nextCursor: null,
  async *[Symbol.asyncIterator]() {
    let cursor = asked.cursor
    for (let left = limit; left > 0; ) {
      const { tasks, nextCursor } = await client.page({
        ...asked,
        limit: Math.min(left, LARGEST_PAGE),
        ...(cursor === undefined ? {} : { cursor }),
      })
      this.nextCursor = nextCursor
      yield tasks
      if (nextCursor === null) return
      cursor = nextCursor
      left -= tasks.length
    }
  },
})

async function* tasksIn(pages: Pages): AsyncGenerator<Task, void> {
  for await (const page of pages) yield* page
}

const printTable = async (pages: Pages, output: Output, { stderr }: Terminal): Promise<void> => {
  let isFirst = true
  for await (const page of pages) {
    // Columns as wide as each page wants them: of one that is too narrow for what comes later ids would be cut.
    const table = new Table(TASK_COLUMNS, page, output.width, output.paint)
    if (isFirst && page.length > 0) await output.write(table.header)
    if (isFirst && page.length === 0) stderr.write('execgo: no tasks\n')
    isFirst = false
    for (const task of page) await output.write(table.row(task))
  }
}
