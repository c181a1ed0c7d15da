/** `execgo why`: what a task waits for, or how it ended. */
import { Command } from 'commander'
import type { Why } from '../client/index.ts'
import { clientOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { durationText, painted, styleOf, timeText } from './show.ts'
import { fieldsOf, oneLine, tableOf, wordOf } from './table.ts'
import type { Terminal } from './terminal.ts'

export const whyCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('why')
        .description('Says what a task waits for; of one that was skipped, which task it was because of.')
        .argument('<task_id>'),
    ),
    [['why deploy', 'is it waiting, and for what?']],
  ).action(async (id: string, options: OutputOptions) => {
    const output = new Output(terminal, options)
    const why = await clientOf(terminal).why(id, { signal: terminal.signal })
    await output.value(why, () => textOf(why, output))
  })

interface Dependency {
  readonly id: string
  readonly status: string
}

/** What is shown by itself, or said by the message already. */
const SAID = new Set([
  'id',
  'status',
  'reason',
  'message',
  'dependencies',
  'waiting_for',
  'root',
  'dependency',
])

const textOf = (why: Why, { paint, width }: Output): string => {
  const { id, status, message, dependencies, root } = why
  const more = Object.entries(why).filter(([name]) => !SAID.has(name))
  const fields = fieldsOf(
    {
      task: ['bold', oneLine(id)],
      status: painted(paint, status),
      why: oneLine(message),
      ...Object.fromEntries(more.map(([name, value]) => fieldOf(name, value))),
    },
    paint,
    width,
  )
  const waits = Array.isArray(dependencies)
    ? `\n${dependenciesText(dependencies as Dependency[], paint, width)}`
    : ''
  const origin =
    typeof root === 'object' && root !== null
      ? `\nexecgo get ${wordOf((root as Dependency).id)} shows where it began.\n`
      : ''
  return fields + waits + origin
}

const dependenciesText = (
  dependencies: readonly Dependency[],
  paint: Output['paint'],
  width: number,
): string =>
  tableOf<Dependency>(
    [
      { name: 'WAITS FOR', text: ({ id }) => id, least: 16 },
      { name: 'STATUS', text: ({ status }) => status, style: ({ status }) => styleOf(status) },
    ],
    dependencies,
    width,
    paint,
  )

/** `retry_at` as `retry at`, `in_ms` as a duration. */
const fieldOf = (name: string, value: unknown): [name: string, text: string] => {
  const words = name.replace(/_ms$/, '').replaceAll('_', ' ')
  if (name.endsWith('_ms') && typeof value === 'number') return [words, durationText(value)]
  if (name.endsWith('_at') && typeof value === 'string') return [words, timeText(value)]
  return [words, oneLine(typeof value === 'string' ? value : JSON.stringify(value))]
}
