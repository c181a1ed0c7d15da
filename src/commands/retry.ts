/** `execgo retry`: runs again what of a graph failed or was skipped. */
import { Command } from 'commander'
import { clientOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { durationMs } from './option-values.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { graphText } from './show.ts'
import { CommandError, type Terminal } from './terminal.ts'
import { report, waitFor } from './waiting.ts'

interface Options extends OutputOptions {
  readonly wait?: true
  readonly timeout?: number
}

export const retryCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('retry')
        .description('Runs again what of a graph failed or was skipped. What succeeded stays as it is.')
        .argument('<graph_id>', 'as submit said it, such as g-12')
        .option('-w, --wait', 'waits until all of it is over; exit code 1 where a task did not succeed')
        .option('--timeout <duration>', 'waits no longer than this, such as 30s or 5m', durationMs),
    ),
    [['retry g-12 --wait', 'once more, and see how it ends']],
  ).action(async (graphId: string, options: Options) => {
    if (options.timeout !== undefined && options.wait !== true)
      throw new CommandError(2, 'retry: --timeout is how long --wait waits: say both')
    const output = new Output(terminal, options)
    const graph = await clientOf(terminal).graphs.retry(graphId, { signal: terminal.signal })
    if (graph.status === 'success')
      terminal.stderr.write(`execgo: nothing of ${graphId} failed or was skipped: it stays as it is\n`)
    if (options.wait !== true) return output.value(graph, () => graphText(graph, output))
    const timing = options.timeout === undefined ? {} : { timeoutMs: options.timeout }
    await report(await waitFor(terminal, { graphId }, timing), output)
  })
