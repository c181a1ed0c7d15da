/** Waiting for tasks and graphs, with a line on stderr that says how far they are, where somebody looks at it. */
import type { Graph, Task } from '../client/index.ts'
import { clientOf } from './connection.ts'
import { type Output, paintFor } from './output.ts'
import { countsText, durationText, graphAndTasksText, isBad, isOver, tasksText, totalText } from './show.ts'
import { cut, wordOf } from './table.ts'
import { CommandError, type Terminal } from './terminal.ts'

export type Awaited = readonly string[] | { readonly graphId: string }

export interface WaitingOptions {
  readonly mode?: 'all' | 'any'
  /** Without it for as long as it takes. */
  readonly timeoutMs?: number
}

/** What was waited for, as it was at the end. */
export interface Outcome {
  readonly done: boolean
  readonly tasks: readonly Task[]
  readonly graph: Graph | null
}

const EVERY_MS = 1000

/** Asks at once whether they are there, and then waits, also over a restart of the daemon. */
export const waitFor = async (
  terminal: Terminal,
  what: Awaited,
  { mode = 'all', timeoutMs }: WaitingOptions,
): Promise<Outcome> => {
  const { signal } = terminal
  const client = clientOf(terminal)
  let stopTelling = (): void => {}
  try {
    if ('graphId' in what) await client.graphs.get(what.graphId, { signal })
    else await client.wait(what, { timeoutMs: 0, signal })
    stopTelling = tellProgress(terminal, what)
    const { done, tasks } = await clientOf(terminal, true).wait(what, {
      mode,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      signal,
    })
    const graph = 'graphId' in what ? await client.graphs.get(what.graphId, { signal }) : null
    return { done, tasks, graph }
  } finally {
    stopTelling()
    if (signal.aborted) tellWhatGoesOn(terminal, what)
  }
}

/** @throws CommandError 1 where they did not end well, or not in time */
export const report = async ({ done, tasks, graph }: Outcome, output: Output): Promise<void> => {
  await output.value({ done, ...graph, tasks }, () =>
    graph === null
      ? `${tasksText(tasks, output)}${totalText(tasks, output)}`
      : graphAndTasksText(graph, tasks, output),
  )
  if (!done) throw new CommandError(1, `not over in time: ${countOf(tasks.filter((task) => !isOver(task)))}`)
  const bad = tasks.filter(isBad)
  if (bad.length === 0) return
  const { id } = bad.find(({ status }) => status === 'failed') ?? bad[0]!
  throw new CommandError(1, `${countOf(bad)} did not succeed; execgo get ${wordOf(id)} shows more`)
}

const countOf = (tasks: readonly unknown[]): string =>
  tasks.length === 1 ? 'one task' : `${tasks.length} tasks`

/** @returns what ends it */
const tellProgress = (terminal: Terminal, what: Awaited): (() => void) => {
  const { stderr, env, signal } = terminal
  if (!stderr.isTTY) return () => {}
  const paint = paintFor(stderr, env)
  const startMs = performance.now()
  const client = clientOf(terminal)
  let isEnded = false
  let hasTold = false
  let timer: NodeJS.Timeout | undefined
  const tell = async (): Promise<void> => {
    // Where the daemon does not answer right now, the wait itself will say so.
    const graph =
      'graphId' in what ? await client.graphs.get(what.graphId, { signal }).catch(() => null) : null
    if (isEnded) return
    const whom = 'graphId' in what ? what.graphId : countOf(what)
    const counts = graph === null ? '' : `: ${countsText(graph.counts, paint)}`
    const line = `waiting for ${whom}, ${durationText(performance.now() - startMs)}${counts}`
    hasTold = true
    stderr.write(`\r\x1b[K${cut(line, (stderr.columns || 80) - 1)}`)
    timer = setTimeout(() => void tell(), EVERY_MS)
  }
  timer = setTimeout(() => void tell(), EVERY_MS / 4)
  return () => {
    isEnded = true
    clearTimeout(timer)
    if (hasTold) stderr.write('\r\x1b[K')
  }
}

const tellWhatGoesOn = ({ stderr }: Terminal, what: Awaited): void => {
  if (!('graphId' in what)) return
  const graph = `--graph ${what.graphId}`
  stderr.write(`execgo: ${what.graphId} goes on; execgo wait ${graph}, or execgo cancel ${graph}\n`)
}
