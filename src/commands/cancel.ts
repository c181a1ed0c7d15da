/** `execgo cancel`: stops tasks, or whatever of a graph is not over. */
import { Command } from 'commander'
import { clientOf } from './connection.ts'
import { forEachId } from './each.ts'
import { withExamples } from './examples.ts'
import { durationMs } from './option-values.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import type { Task } from '../client/index.ts'
import { graphText, isOver, stateOf, styleOf } from './show.ts'
import { type Column, tableOf } from './table.ts'
import { type Targets, targetOf, withTargets } from './targets.ts'
import type { Terminal } from './terminal.ts'

interface Options extends OutputOptions, Targets {
  readonly grace?: number
}

export const cancelCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      withTargets(new Command('cancel'), 'cancel')
        .description('Stops tasks. What depends on them is skipped.')
        .option('--grace <duration>', 'between SIGTERM and SIGKILL; the daemon’s own by default', durationMs),
    ),
    [
      ['cancel build', 'stop a task'],
      ['cancel --graph g-12 --grace 1s', 'stop what of a graph is not over, and quickly'],
    ],
  ).action(async (ids: string[], options: Options) => {
    const output = new Output(terminal, options)
    const client = clientOf(terminal)
    const how = {
      ...(options.grace === undefined ? {} : { graceMs: options.grace }),
      signal: terminal.signal,
    }
    const what = targetOf('cancel', ids, options)
    if ('graphId' in what) {
      const graph = await client.graphs.cancel(what.graphId, how)
      return output.value(graph, () => graphText(graph, output))
    }
    const { done, end } = await forEachId(what, terminal, (id) => client.cancel(id, how))
    if (done.length > 0)
      await output.value(ids.length === 1 ? done[0] : done, () =>
        tableOf(COLUMNS, done, output.width, output.paint),
      )
    end()
  })

const COLUMNS: readonly Column<Task>[] = [
  { name: 'ID', text: ({ id }) => id, least: 16 },
  {
    name: 'STATUS',
    text: (task) => (isOver(task) ? stateOf(task) : 'stopping'),
    style: (task) => styleOf(stateOf(task)),
  },
]
