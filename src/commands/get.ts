/** `execgo get`: everything about a task. */
import { Command } from 'commander'
import { clientOf } from './connection.ts'
import { forEachId } from './each.ts'
import { withExamples } from './examples.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { taskText } from './show.ts'
import type { Terminal } from './terminal.ts'

export const getCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('get')
        .description('Shows tasks: how each is, what it was given, and its result.')
        .argument('<task_id...>', 'one or several'),
    ),
    [
      ['get build', 'all about the task build'],
      ['get build -o json | jq -r .result.stdout', 'only what it printed'],
    ],
  ).action(async (ids: string[], options: OutputOptions) => {
    const output = new Output(terminal, options)
    const client = clientOf(terminal)
    const { done, end } = await forEachId(ids, terminal, (id) => client.get(id, { signal: terminal.signal }))
    if (done.length > 0)
      await output.value(ids.length === 1 ? done[0] : done, async () =>
        (await Promise.all(done.map((task) => taskText(task, output)))).join('\n'),
      )
    end()
  })
