/** `execgo wait`: until tasks, or all of a graph, are over. */
import { Command } from 'commander'
import { withExamples } from './examples.ts'
import { durationMs } from './option-values.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { isOver } from './show.ts'
import { type Targets, targetOf, withTargets } from './targets.ts'
import type { Terminal } from './terminal.ts'
import { report, waitFor } from './waiting.ts'

interface Options extends OutputOptions, Targets {
  readonly any?: true
  readonly timeout?: number
}

export const waitCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      withTargets(new Command('wait'), 'wait for')
        .description('Waits until tasks are over. The exit code is 1 where one of them did not succeed.')
        .option('--any', 'until one is over; all by default')
        .option('--timeout <duration>', 'no longer than this, such as 30s or 5m', durationMs),
    ),
    [
      ['wait build test', 'until both are over'],
      ['wait --graph g-12 --timeout 10m', 'until all of a graph is, for ten minutes at most'],
    ],
  ).action(async (ids: string[], options: Options) => {
    const what = targetOf('wait', ids, options)
    const outcome = await waitFor(terminal, what, {
      mode: options.any === true ? 'any' : 'all',
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    })
    const output = new Output(terminal, options)
    // Of those that are not waited for nothing is expected.
    const tasks = options.any === true ? outcome.tasks.filter(isOver) : outcome.tasks
    await report({ ...outcome, tasks }, output)
  })
