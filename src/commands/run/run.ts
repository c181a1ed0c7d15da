/** `execgo run`: a graph to its end, without a daemon. */
import { Command, Option } from 'commander'
import { withExamples } from '../examples.ts'
import { nameAndValue, wholeNumberIn } from '../option-values.ts'
import { FORMATS, type Format } from '../output.ts'
import type { Terminal } from '../terminal.ts'

export interface RunOptions {
  readonly param?: Readonly<Record<string, string>>
  readonly dataDir?: string
  readonly maxConcurrency?: number
  readonly failFast?: true
  readonly verbose?: true
  readonly output: Format
}

export const runGraphCommand = (terminal: Terminal): Command =>
  withExamples(
    new Command('run')
      .description('Runs a graph of tasks to its end, without a daemon.')
      .argument('<file>', 'the graph, JSON or YAML; - for stdin')
      .option(
        '-p, --param <name=value>',
        `what $\{{ params.name }} in the graph stands for; may come several times; name:=value takes JSON`,
        nameAndValue,
      )
      .option(
        '-j, --max-concurrency <n>',
        'tasks that may run at once; EXECGO_MAX_CONCURRENCY or 10 by default',
        wholeNumberIn(1, 100_000),
      )
      .option('--data-dir <folder>', 'where tasks are kept; in a temporary folder by default')
      .option('--fail-fast', 'cancels what is left once a task fails that is without allow_failure')
      .option('-v, --verbose', 'tells what every task put out, as it ends')
      .addOption(
        new Option('-o, --output <format>', 'what stdout gets at the end: a summary, or the tasks')
          .choices(FORMATS)
          .default('table'),
      ),
    [
      ['run graph.yaml', 'watch it run; the exit code says how it was'],
      ['run graph.yaml -p env=test -p replicas:=3', 'with parameters'],
      ['run - -o json < graph.json | jq .', 'between other programs'],
    ],
  )
    .addHelpText(
      'after',
      `
The daemon's settings hold here too: EXECGO_SHELL_POLICY, EXECGO_TOOLS …
Ctrl+C cancels what runs; a second one kills it.

Exit codes: 0, 1 where a task failed, 2 for a graph that is refused, 130 after
Ctrl+C.`,
    )
    .action(async (file: string, options: RunOptions) => {
      // What it takes to run a graph is loaded by this command alone.
      const { runGraphFile } = await import('./run-graph.ts')
      await runGraphFile(terminal, file, options)
    })
