/** Tasks and graphs as people read them. */
import type { Graph, Status, Task } from '../client/index.ts'
import { type Output, type Paint, yamlOf } from './output.ts'
import { type Column, cut, fieldsOf, harmless, oneLine, tableOf } from './table.ts'

type Style = Parameters<Paint>[0]

/** Beside the five of a task: how events call the same. */
const STYLES: Readonly<Record<string, Style>> = {
  pending: 'dim',
  running: 'cyan',
  success: 'green',
  failed: 'red',
  cancelled: 'yellow',
  skipped: 'yellow',
}

export const styleOf = (status: string): Style | null => STYLES[status] ?? null

export const painted = (paint: Paint, status: string): string => {
  const style = styleOf(status)
  return style === null ? status : paint(style, status)
}

/** A cancelled task is a failed one; people want to know which. */
export const stateOf = ({ status, run_status }: Task): string =>
  status === 'failed' && run_status === 'cancelled' ? 'cancelled' : status

/** Over. */
export const isOver = ({ status }: { status: string }): boolean =>
  status !== 'pending' && status !== 'running'

/** Failed without leave to, or skipped because of such a one. */
export const isBad = ({ status, allow_failure, error }: Task): boolean =>
  (status === 'failed' && allow_failure !== true) ||
  (status === 'skipped' && error !== 'no dependency failed')

/** `os` alone says nothing: the tool does. */
const toolOf = ({ type, tool_name }: Task): string =>
  type === 'os' ? (tool_name ?? type) : tool_name ? `${type} ${tool_name}` : type

/** `7ms`, `1.2s`, `4m05s`, `2h10m`, `3d4h`. */
export const durationText = (ms: number): string => {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)}s`
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s}s`
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`
  if (s < 86_400) return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`
  return `${Math.floor(s / 86_400)}d${Math.floor(s / 3600) % 24}h`
}

const two = (number: number): string => String(number).padStart(2, '0')

/** How long ago, in one unit. */
const ageText = (time: string, nowMs = Date.now()): string => {
  const s = Math.max(0, Math.floor((nowMs - Date.parse(time)) / 1000))
  if (s < 60) return `${s}s`
  if (s < 3600) return `${Math.floor(s / 60)}m`
  return s < 86_400 ? `${Math.floor(s / 3600)}h` : `${Math.floor(s / 86_400)}d`
}

/** In the time zone of who looks. */
export const clockText = (time: string): string => {
  const at = new Date(time)
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

/** In the time zone of who looks, and how long ago it was. */
export const timeText = (time: string | undefined): string => {
  if (time === undefined) return ''
  const at = new Date(time)
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  const when = Date.parse(time) > Date.now() ? '' : ` (${ageText(time)} ago)`
  return `${day} ${clockText(time).slice(0, 8)}${when}`
}

const tookText = ({ runtime }: Task): string => {
  if (runtime === undefined) return ''
  if (runtime.finished_at !== undefined) return durationText(runtime.duration_ms ?? 0)
  return runtime.started_at === undefined ? '' : durationText(Date.now() - Date.parse(runtime.started_at))
}

export const TASK_COLUMNS: readonly Column<Task>[] = [
  { name: 'ID', text: ({ id }) => id, least: 12 },
  { name: 'STATUS', text: stateOf, style: (task) => styleOf(stateOf(task)) },
  { name: 'TOOL', text: toolOf, least: 6 },
  { name: 'GRAPH', text: ({ graph_id }) => graph_id, style: () => 'dim' },
  { name: 'AGE', text: ({ created_at }) => ageText(created_at), isRight: true },
  { name: 'TOOK', text: tookText, isRight: true },
  { name: '', text: ({ error = '' }) => error, least: 6 },
]

export const GRAPH_COLUMNS: readonly Column<Graph>[] = [
  { name: 'GRAPH', text: ({ graph_id }) => graph_id },
  { name: 'STATUS', text: ({ status }) => status, style: ({ status }) => styleOf(status) },
  { name: 'TASKS', text: ({ counts }) => String(sizeOf(counts)), isRight: true },
  { name: 'AGE', text: ({ created_at }) => ageText(created_at), isRight: true },
  { name: 'TOOK', text: (graph) => graphTook(graph), isRight: true },
  { name: '', text: ({ counts }) => countsText(counts), least: 20 },
]

export const sizeOf = (counts: Graph['counts']): number =>
  Object.values(counts).reduce((sum, each) => sum + each, 0)

const graphTook = ({ created_at, finished_at }: Graph): string =>
  finished_at === undefined ? '' : durationText(Date.parse(finished_at) - Date.parse(created_at))

/** `3 success, 1 failed`; none is not told. */
export const countsText = (counts: Readonly<Record<string, number>>, paint?: Paint): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${paint === undefined ? status : painted(paint, status)}`)
    .join(', ')

/** How many of these are where. */
const countsOf = (tasks: readonly Task[]): Record<Status, number> => {
  const counts = { pending: 0, running: 0, success: 0, failed: 0, skipped: 0 }
  for (const { status } of tasks) counts[status]++
  return counts
}

export const graphText = (graph: Graph, { paint, width }: Output): string =>
  fieldsOf(
    {
      graph: graph.graph_id,
      status: painted(paint, graph.status),
      tasks: `${sizeOf(graph.counts)}: ${countsText(graph.counts, paint)}`,
      created: timeText(graph.created_at),
      finished: timeText(graph.finished_at),
      took: graphTook(graph),
    },
    paint,
    width,
  )

/** A table of more would scroll away what matters. */
const MOST_ROWS = 30

/** All of a few tasks; of many those that went wrong, or are not over. */
export const tasksText = (tasks: readonly Task[], { paint, width }: Output): string => {
  const notable = tasks.length <= MOST_ROWS ? tasks : tasks.filter((task) => isBad(task) || !isOver(task))
  const shown = notable.slice(0, MOST_ROWS)
  const more = notable.length > shown.length ? `… and ${notable.length - shown.length} more like these\n` : ''
  const rows = shown.length === 0 ? '' : tableOf(TASK_COLUMNS, shown, width, paint)
  return rows + more
}

/** Tasks that were submitted again since then are another graph's. */
export const graphAndTasksText = (graph: Graph, tasks: readonly Task[], output: Output): string => {
  const rows = tasksText(tasks, output)
  return rows === '' ? graphText(graph, output) : `${graphText(graph, output)}\n${rows}`
}

/** How many of several tasks are where. */
export const totalText = (tasks: readonly Task[], { paint }: Output): string =>
  tasks.length < 2 ? '' : `\n${tasks.length} tasks: ${countsText(countsOf(tasks), paint)}\n`

/** Everything about one task. */
export const taskText = async (task: Task, output: Output): Promise<string> => {
  const { paint, width } = output
  const { runtime, retry = 0, timeout = 0, depends_on: dependsOn = [], annotations = {} } = task
  const attempts = runtime === undefined ? '' : `${runtime.attempt}${retry > 0 ? ` of ${retry + 1}` : ''}`
  const fields = fieldsOf(
    {
      id: ['bold', oneLine(task.id)],
      status: painted(paint, stateOf(task)),
      error: ['red', oneLine(task.error ?? '')],
      tool: oneLine(toolOf(task)),
      graph: task.graph_id,
      'depends on': dependsOn.map(oneLine).join(', '),
      'run if': task.run_if,
      'allow failure': task.allow_failure ? 'yes' : '',
      priority: task.priority === undefined || task.priority === 5 ? '' : String(task.priority),
      'not before': timeText(task.run_at),
      timeout: timeout > 0 ? durationText(timeout) : '',
      attempt: attempts,
      created: timeText(task.created_at),
      started: timeText(runtime?.started_at),
      finished: timeText(runtime?.finished_at),
      took: tookText(task),
      handle: task.handle_id,
      annotations: Object.entries(annotations)
        .map(([name, value]) => oneLine(`${name}=${value}`))
        .join(', '),
    },
    paint,
    width,
  )
  const parts = [
    await block('params', task.params ?? task.input, output),
    await block(
      'progress',
      task.progress?.map(({ message }) => message),
      output,
    ),
    await block('result', task.result, output),
    await block('details', runtime?.details, output),
  ]
  return fields + parts.join('')
}

/** Of texts with control characters YAML makes long lines of escapes. */
const harmlessIn = (value: unknown): unknown => {
  if (typeof value === 'string') return harmless(value)
  if (Array.isArray(value)) return value.map(harmlessIn)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [harmless(key), harmlessIn(each)]))
}

/** Lines of one part of a task that are shown. */
const MOST_LINES = 40

/** A part of a task in YAML, whose texts of several lines can be read. */
const block = async (name: string, value: unknown, { paint, width }: Output): Promise<string> => {
  if (value === undefined || value === null) return ''
  const lines = (await yamlOf(harmlessIn(value))).trimEnd().split('\n')
  const over = lines.length - MOST_LINES
  // The end of an output says more than its beginning.
  const shown =
    over > 1 ? [...lines.slice(0, MOST_LINES / 4), '', ...lines.slice(-(MOST_LINES * 3) / 4)] : lines
  if (over > 1) shown[MOST_LINES / 4] = paint('dim', `… ${over} lines: -o json or yaml has them`)
  const fitting = shown.map((line) => `  ${cut(line, width - 2)}`.trimEnd())
  return `\n${paint('dim', name)}\n${fitting.join('\n')}\n`
}
