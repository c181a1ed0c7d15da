/**
 * `execgo events`: what happened to tasks, and with `-f` what happens.
 *
 * A stream of events never says that the history is at its end. So the number of the last event is asked for first, and
 * the history read up to it: all of it, as events that are not wanted are passed over in silence otherwise.
 */
import { Command, Option } from 'commander'
import stringWidth from 'string-width'
import { type Client, type EventType, GoneError, type TaskEvent } from '../client/index.ts'
import { clientOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { wholeNumberIn } from './option-values.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { clockText, styleOf } from './show.ts'
import { cut, oneLine } from './table.ts'
import type { Terminal } from './terminal.ts'

/** Without their `task_`. */
const KINDS = [
  'submitted',
  'started',
  'progressed',
  'retried',
  'succeeded',
  'failed',
  'skipped',
  'cancelled',
] as const

interface Options extends OutputOptions {
  readonly follow?: true
  readonly task?: string
  readonly graph?: string
  readonly type?: readonly (typeof KINDS)[number][]
  readonly last?: number
  readonly after?: number
}

export const eventsCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('events')
        .description('Prints what happened to tasks. It goes back as far as the daemon remembers.')
        .option('-f, --follow', 'goes on with what happens from now on, until Ctrl+C')
        .option('-t, --task <task_id>', 'only of this task')
        .option('-g, --graph <graph_id>', 'only of this graph')
        .addOption(new Option('--type <types...>', 'only of these types').choices(KINDS))
        .option('-n, --last <n>', 'only so many of the last; with -f none by default', wholeNumberIn(0, 1e6))
        .option('--after <id>', 'only what came after the event of this number', wholeNumberIn(0, 1e15)),
    ),
    [
      ['events --graph g-12', 'the story of a graph'],
      ['events -f --type failed cancelled', 'watch for what goes wrong'],
      ['events -f -o json | jq .task_id', 'a line of JSON for each'],
    ],
  ).action(async (options: Options) => {
    const output = new Output(terminal, options)
    const { signal } = terminal
    const client = clientOf(terminal)
    const types = options.type?.map((kind): EventType => `task_${kind}`)
    const now = await client.lastEvent({ signal })
    const last =
      options.last ?? (options.follow && options.after === undefined ? 0 : Number.POSITIVE_INFINITY)
    const isWanted = ({ task_id, graph_id, type }: TaskEvent): boolean =>
      (options.task === undefined || task_id === options.task) &&
      (options.graph === undefined || graph_id === options.graph) &&
      (types === undefined || types.includes(type))
    const lineOf = linesFor(output)
    let isQuiet = true
    const print = (event: TaskEvent): Promise<void> => {
      isQuiet = false
      return output.format === 'table' ? output.write(lineOf(event)) : output.item(event)
    }
    if (last > 0)
      for await (const event of lastOf(history(client, options.after, now, isWanted, signal), last))
        await print(event)
    if (options.follow) {
      const filter = { taskId: options.task, graphId: options.graph, types }
      const patient = clientOf(terminal, true)
      for await (const event of patient.events({ ...defined(filter), after: now, signal })) await print(event)
    }
    signal.throwIfAborted()
    if (isQuiet && output.format === 'table') terminal.stderr.write('execgo: no events\n')
  })

/** Without what is undefined. */
const defined = <T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }

/** @param after of the user; without one, from as far back as there is something */
async function* history(
  client: Client,
  after: number | undefined,
  now: number,
  isWanted: (event: TaskEvent) => boolean,
  signal: AbortSignal,
): AsyncGenerator<TaskEvent, void> {
  if (now <= (after ?? 0)) return
  try {
    for await (const event of client.events({ after: after ?? 0, signal })) {
      if (isWanted(event)) yield event
      if (event.id >= now) return
    }
  } catch (error) {
    const first = error instanceof GoneError ? /has events (\d+) to/.exec(error.message)?.[1] : undefined
    if (after !== undefined || first === undefined) throw error
    yield* history(client, Number(first) - 1, now, isWanted, signal)
  }
}

/** The last of them in their order, once all were seen; all of them as they come where there is no bound. */
async function* lastOf<T>(values: AsyncIterable<T>, most: number): AsyncGenerator<T, void> {
  if (most === Number.POSITIVE_INFINITY) return yield* values
  let kept: T[] = []
  for await (const value of values) {
    kept.push(value)
    if (kept.length > most * 2 + 1000) kept = kept.slice(-most)
  }
  yield* kept.slice(-most)
}

/** Lines of one event each. The column of ids grows with them: nobody knows what comes. */
const linesFor = ({ paint, width }: Output): ((event: TaskEvent) => string) => {
  let idColumns = 8
  return ({ type, task_id, graph_id, at, attempt = 0, message = '' }) => {
    const kind = type.slice('task_'.length)
    const style = styleOf(kind) ?? styleOf(STATUS_OF[kind] ?? '')
    const word = kind.padEnd(10)
    const id = cut(oneLine(task_id), Math.max(20, width - 34))
    const columns = stringWidth(id)
    idColumns = Math.min(MOST_ID_COLUMNS, Math.max(idColumns, columns))
    const tail = message === '' ? (attempt > 1 ? `attempt ${attempt}` : '') : oneLine(message)
    const padded = id + ' '.repeat(Math.max(0, idColumns - columns))
    const rest = cut(`${graph_id.padEnd(6)}  ${padded}  ${tail}`.trimEnd(), Math.max(20, width - 26))
    return `${paint('dim', clockText(at))}  ${style === null ? word : paint(style, word)}  ${rest}\n`
  }
}

/** An id that takes more moves what follows it to the right. */
const MOST_ID_COLUMNS = 24

const STATUS_OF: Readonly<Record<string, string>> = {
  started: 'running',
  succeeded: 'success',
  retried: 'cancelled',
  submitted: 'pending',
}
