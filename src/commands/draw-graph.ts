/** A graph as a drawing: Mermaid for Markdown pages, or DOT for Graphviz. */

/** What of a task is drawn. */
export interface DrawnTask {
  readonly id: string
  readonly type: string
  readonly tool_name?: string | null
  readonly depends_on?: readonly string[] | null
  readonly run_if?: string | null
  /** Colours it. */
  readonly status?: string | null
}

export const DRAWINGS = ['mermaid', 'dot'] as const
export type Drawing = (typeof DRAWINGS)[number]

export const drawGraph = (tasks: readonly DrawnTask[], drawing: Drawing): string =>
  drawing === 'mermaid' ? mermaid(tasks) : dot(tasks)

/** Fill and border of each status that a finished or running task may have. */
const COLOURS: Readonly<Record<string, readonly [fill: string, border: string]>> = {
  running: ['#dbeafe', '#2563eb'],
  success: ['#dcfce7', '#16a34a'],
  failed: ['#fee2e2', '#dc2626'],
  skipped: ['#f3f4f6', '#9ca3af'],
}

const mermaid = (tasks: readonly DrawnTask[]): string => {
  // An id may be any text, a node's name may not.
  const names = new Map(tasks.map(({ id }, place) => [id, `t${place}`]))
  const lines = ['flowchart TD']
  for (const task of tasks) {
    const text = linesOf(task).map(mermaidText).join('<br/>')
    const status = COLOURS[task.status ?? ''] === undefined ? '' : `:::${task.status}`
    lines.push(`  ${names.get(task.id)}["${text}"]${status}`)
  }
  for (const { from, to, label } of edgesOf(tasks)) {
    const arrow = label === '' ? '-->' : `-. ${label} .->`
    lines.push(`  ${names.get(from)} ${arrow} ${names.get(to)}`)
  }
  for (const [status, [fill, border]] of Object.entries(COLOURS))
    if (tasks.some((task) => task.status === status))
      lines.push(`  classDef ${status} fill:${fill},stroke:${border},color:#111827`)
  return `${lines.join('\n')}\n`
}

const dot = (tasks: readonly DrawnTask[]): string => {
  const lines = ['digraph execgo {', '  node [shape=box, style="rounded,filled", fillcolor="#ffffff"];']
  for (const task of tasks) {
    const colours = COLOURS[task.status ?? '']
    const paint = colours === undefined ? '' : `, fillcolor="${colours[0]}", color="${colours[1]}"`
    lines.push(`  ${dotText([task.id])} [label=${dotText(linesOf(task))}${paint}];`)
  }
  for (const { from, to, label } of edgesOf(tasks)) {
    const style = label === '' ? '' : ` [style=dashed, label=${dotText([label])}]`
    lines.push(`  ${dotText([from])} -> ${dotText([to])}${style};`)
  }
  return `${lines.join('\n')}\n}\n`
}

/** The id, and what runs. */
const linesOf = ({ id, type, tool_name }: DrawnTask): string[] => [id, tool_name || type]

/** Only between tasks that are drawn: others may be named that are not there any more. */
const edgesOf = (tasks: readonly DrawnTask[]): { from: string; to: string; label: string }[] => {
  const ids = new Set(tasks.map(({ id }) => id))
  return tasks.flatMap(({ id, depends_on, run_if }) =>
    [...new Set(depends_on)]
      .filter((from) => ids.has(from))
      .map((from) => ({ from, to: id, label: run_if && run_if !== 'success' ? run_if : '' })),
  )
}

/** What might end the text, or begin something else, goes by its number. */
const mermaidText = (text: string): string =>
  text.replaceAll(/["#&<>;`\\]/g, (char) => `#${char.codePointAt(0)};`).replaceAll(/\s+/g, ' ')

const dotText = (lines: readonly string[]): string =>
  `"${lines.map((line) => line.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll(/\s+/g, ' ')).join('\\n')}"`
