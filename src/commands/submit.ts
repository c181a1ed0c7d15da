/** `execgo submit`: hands a graph to the daemon. */
import { Command, Option } from 'commander'
import { type GraphSpec, InvalidError } from '../client/index.ts'
import { clientOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { readGraphFile } from './graph-file.ts'
import { durationMs, nameAndValue } from './option-values.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { fieldsOf, oneLine, wordOf } from './table.ts'
import { CommandError, type Terminal } from './terminal.ts'
import { report, waitFor } from './waiting.ts'

interface Options extends OutputOptions {
  readonly param?: Readonly<Record<string, string>>
  readonly wait?: true
  readonly timeout?: number
  readonly onConflict?: NonNullable<GraphSpec['on_conflict']>
  readonly durability?: NonNullable<GraphSpec['durability']>
  readonly idempotencyKey?: string
}

export const submitCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('submit')
        .description('Submits a graph of tasks. Its id is printed when the daemon has it on its disk.')
        .argument('<file>', 'the graph, JSON or YAML; - for stdin')
        .option(
          '-p, --param <name=value>',
          `what $\{{ params.name }} in the graph stands for; may come several times; name:=value takes JSON`,
          nameAndValue,
        )
        .option('-w, --wait', 'waits until all of it is over; exit code 1 where a task did not succeed')
        .option('--timeout <duration>', 'waits no longer than this, such as 30s or 5m', durationMs)
        .addOption(
          new Option('--on-conflict <what>', 'what becomes of ids that exist already').choices([
            'replace',
            'reject',
            'ignore',
          ]),
        )
        .addOption(
          new Option('--durability <when>', 'whether the answer waits for the disk').choices([
            'sync',
            'relaxed',
          ]),
        )
        .option('--idempotency-key <key>', 'the same key and graph again are answered as before'),
    ),
    [
      ['submit graph.yaml', 'hand it over and go on'],
      ['submit graph.yaml --wait --param env=test', 'wait for its end; the exit code says how it was'],
      [`submit - < graph.json`, 'from another program'],
    ],
  ).action(async (file: string, options: Options) => {
    const output = new Output(terminal, options)
    if (options.timeout !== undefined && options.wait !== true)
      throw new CommandError(2, 'submit: --timeout is how long --wait waits: say both')
    const graph = withSettings(await readGraphFile(file, { params: options.param ?? {}, terminal }), options)
    const submitted = await clientOf(terminal)
      .submit(graph, {
        ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
        signal: terminal.signal,
      })
      .catch((error: unknown) => {
        throw error instanceof InvalidError && file !== '-' ? invalid(file, error) : error
      })
    const { graph_id: graphId, task_ids: ids, accepted } = submitted
    if (options.wait === true) {
      // Where every id existed and was left alone there is no new graph.
      const what = graphId === undefined ? ids : { graphId }
      const timing = options.timeout === undefined ? {} : { timeoutMs: options.timeout }
      return report(await waitFor(terminal, what, timing), output)
    }
    await output.value(submitted, () => {
      const tasks = `${accepted} accepted: ${ids.slice(0, MOST_NAMED).map(oneLine).join(', ')}${ids.length > MOST_NAMED ? ', …' : ''}`
      return fieldsOf({ graph: graphId, tasks }, output.paint, output.width)
    })
    if (output.format === 'table' && graphId !== undefined)
      terminal.stderr.write(`\nexecgo wait --graph ${graphId} waits for it.\n`)
  })

/** The daemon stops at the first mistake, and does not know the file. */
const invalid = (file: string, { message }: InvalidError): CommandError =>
  new CommandError(
    2,
    `${message}\n  execgo validate ${wordOf(file)} says everything that is wrong, and where.`,
  )

const MOST_NAMED = 20

/** What the command line says wins over what the file says. */
const withSettings = (graph: GraphSpec, { onConflict, durability }: Options): GraphSpec => ({
  ...graph,
  ...(onConflict === undefined ? {} : { on_conflict: onConflict }),
  ...(durability === undefined ? {} : { durability }),
})
