/** A graph as the daemon keeps it: its name, and how far its tasks are. @see contract B2 */

/** How many tasks of a graph are where. What is missing to the graph's size is pending. */
export interface Counts {
  running: number
  success: number
  failed: number
  skipped: number
  /** Failed without leave to, or skipped because of such a one: what makes the graph fail. */
  bad: number
}

/** `counts` is what clients are told: it changes when what it counts is kept. */
export interface Graph {
  /** The key of its first task: its tasks have this key and those after it. */
  readonly key: number
  readonly createdMs: number
  /** Tasks that came with it. Those that `on_conflict: ignore` left alone are not among them. */
  readonly size: number
  /** Its outcomes may be told before they are synced. */
  readonly isRelaxed: boolean
  /** Of the request that submitted it, `''` for none. Kept while one of its tasks is under way. */
  readonly traceparent: string
  readonly counts: Counts
  /** Tasks that are not settled. 0 before the last outcomes are kept, and from then on. */
  unfinished: number
  /** When the last task ended; 0 while one is under way. */
  finishedMs: number
}

const PREFIX = 'g-'

/** The `graph_id` of the graph with this key. */
export const graphIdOf = (key: number): string => `${PREFIX}${key}`

/** The key behind a `graph_id`, -1 where there can be none. */
export const keyOfGraphId = (id: string): number => (/^g-[1-9]\d{0,14}$/.test(id) ? Number(id.slice(2)) : -1)

export const newGraph = (
  key: number,
  size: number,
  createdMs: number,
  isRelaxed: boolean,
  traceparent = '',
): Graph => ({
  key,
  createdMs,
  size,
  isRelaxed,
  traceparent,
  counts: { running: 0, success: 0, failed: 0, skipped: 0, bad: 0 },
  unfinished: size,
  finishedMs: 0,
})

/** `success` when nothing bad happened, once all its tasks are over. */
export const graphStatus = (graph: Graph): 'pending' | 'running' | 'success' | 'failed' => {
  const { running, success, failed, skipped, bad } = graph.counts
  if (success + failed + skipped === graph.size) return bad > 0 ? 'failed' : 'success'
  return running + success + failed + skipped > 0 ? 'running' : 'pending'
}

/** Counts a task of the graph as over. */
export const countEnded = (
  counts: Counts,
  task: { readonly phase: string; readonly startedMs: number; readonly isBad: boolean },
): void => {
  if (task.startedMs > 0) counts.running--
  if (task.phase === 'success') counts.success++
  else if (task.phase === 'failed') counts.failed++
  else counts.skipped++
  if (task.isBad) counts.bad++
}
