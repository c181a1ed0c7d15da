/** What the memory store holds of a task, and pages of it. */
import type { DependencyEnd } from '../domain/dependency.ts'
import type { Status } from '../domain/lifecycle.ts'
import type { Task } from '../domain/task.ts'
import { liveTaskJson, publishedStatus } from '../domain/task-json.ts'
import type { Finished } from './memory-records.ts'
import type { TaskPage, TaskQuery } from './store.ts'
import { matchesFacets, matchesText, takePage } from './task-page.ts'

export type Kept = Task | Finished

export const isFinished = (kept: Kept): kept is Finished => 'json' in kept

export const textOf = (kept: Kept): string => (isFinished(kept) ? kept.json : liveTaskJson(kept))

export const statusOfKept = (kept: Kept): Status =>
  isFinished(kept) ? statusOfEnd(kept.end) : publishedStatus(kept)

export const statusOfEnd = (end: DependencyEnd): 'success' | 'failed' | 'skipped' =>
  end === 'success' || end === 'skipped' ? end : 'failed'

/** Every record is looked at: there is no index here. */
export const pageOfKept = async (records: Iterable<Kept>, query: TaskQuery): Promise<TaskPage> => {
  const { status, graph, afterKey } = query
  const order = query.isNewestFirst ? -1 : 1
  const byKey = new Map<number, Kept>()
  for (const kept of records) {
    if (graph !== null && kept.graph.key !== graph) continue
    if (afterKey === null || (kept.key - afterKey) * order > 0) byKey.set(kept.key, kept)
  }
  const keys = [...byKey.keys()].sort((a, b) => (a - b) * order)
  return takePage(query.limit, keys, (key) => {
    const kept = byKey.get(key)!
    if (status !== null && statusOfKept(kept) !== status) return null
    const isAsked = isFinished(kept) ? matchesText(query, kept.json) : matchesFacets(query, kept)
    return isAsked ? textOf(kept) : null
  })
}
