/** `execgo bench`: a short load on a running daemon, and what it made of it. */
import { Command, Option } from 'commander'
import { type Figures, Load, type Spread } from './bench-load.ts'
import { urlOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { wholeNumberIn } from './option-values.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { type Column, fieldsOf, tableOf } from './table.ts'
import { CommandError, type Terminal } from './terminal.ts'

interface Options extends OutputOptions {
  readonly seconds: number
  readonly connections: number
  readonly tasks: number
  readonly durability?: 'sync' | 'relaxed'
}

export const benchCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('bench')
        .description(
          'Measures the daemon under a short load. Each connection submits a graph of noop tasks, waits for its end, ' +
            'reads a task of it, and begins again; at the end all that was made is removed.',
        )
        .option('-s, --seconds <n>', 'for how long', wholeNumberIn(1, 300), 5)
        .option('-c, --connections <n>', 'how many work at once', wholeNumberIn(1, 256), 16)
        .option('--tasks <n>', 'in each graph', wholeNumberIn(1, 1000), 10)
        .addOption(
          new Option(
            '--durability <when>',
            'whether an answer waits for the disk; as the daemon does by default',
          ).choices(['sync', 'relaxed']),
        ),
    ),
    [
      ['bench', 'five seconds, 16 connections'],
      ['bench --seconds 30 --connections 64 --tasks 100', 'more of everything'],
    ],
  ).action(async (options: Options) => {
    const output = new Output(terminal, options)
    const { stderr, signal } = terminal
    const load = new Load(terminal, options)
    const told = `${options.connections} connections, ${options.tasks} tasks in each graph, ${options.seconds} s`
    stderr.write(`${urlOf(terminal.env)}: ${told}\n\n`)
    try {
      await load.run()
    } finally {
      const left = await load.cleanUp()
      if (left > 0)
        stderr.write(
          `execgo: ${left} graphs of it could not be removed; their tasks begin with ${load.prefix}\n`,
        )
    }
    signal.throwIfAborted()
    const { figures } = load
    await output.value(figures, () => textOf(figures, output))
    if (figures.graphs === 0) throw new CommandError(1, 'no graph came to its end: give it more --seconds')
  })

const textOf = (figures: Figures, { paint, width }: Output): string => {
  const rate = (count: number): string =>
    `${count.toLocaleString('en')}  ${paint('bold', Math.round(count / figures.seconds).toLocaleString('en'))}/s`
  // Nothing takes no time at all: it did not come to its end once.
  const measured = Object.entries(figures.latency_ms).filter(([, { max }]) => max > 0)
  return `${fieldsOf(
    {
      graphs: rate(figures.graphs),
      tasks: rate(figures.tasks),
      requests: rate(figures.requests),
      refused: figures.refused > 0 ? `${figures.refused}, as it was busy` : '',
    },
    paint,
    width,
  )}\n${tableOf(LATENCY_COLUMNS, measured, width, paint)}`
}

type Row = readonly [what: string, spread: Spread]

const WHAT: Readonly<Record<string, string>> = {
  submit: 'a graph is accepted',
  over: 'a graph is over',
  get: 'a task is read',
}

const ms = (value: number): string => `${value.toFixed(1)} ms`

const LATENCY_COLUMNS: readonly Column<Row>[] = [
  { name: 'UNTIL', text: ([what]) => WHAT[what] ?? what },
  { name: 'HALF', text: ([, { p50 }]) => ms(p50), isRight: true },
  { name: '90 %', text: ([, { p90 }]) => ms(p90), isRight: true },
  { name: '99 %', text: ([, { p99 }]) => ms(p99), isRight: true },
  { name: 'LONGEST', text: ([, { max }]) => ms(max), isRight: true },
]
