/** Stops tasks and graphs because somebody wants it. @see contract B2 */
import { type Result, graphNotFound, ok, refused, taskNotFound } from '../domain/errors.ts'
import { type Graph, graphIdOf, graphStatus } from '../domain/graph-record.ts'
import { isOver } from '../domain/lifecycle.ts'
import type { Task } from '../domain/task.ts'
import type { Store } from '../store/store.ts'
import type { Lives } from './lives.ts'
import type { Outbox } from './outbox.ts'

export interface Parts {
  readonly store: Store
  readonly lives: Lives
  readonly outbox: Outbox
  /** Tasks that were under way when their records were removed. */
  readonly removed: WeakMap<Graph, Task[]>
}

/** Stops a task. Resolves when its end is kept, or, for one that runs, when it is being stopped. */
export const cancelTask = async (parts: Parts, id: string, graceMs: number): Promise<Result<true>> => {
  const { store, lives, outbox } = parts
  const task = store.unfinished(id)
  if (task === null || isOver(task.phase)) {
    if (task !== null) await outbox.kept()
    const json = await store.get(id)
    return json === null
      ? taskNotFound(id)
      : refused(
          'conflict',
          `task ${id} is over: ${task?.phase ?? (JSON.parse(json) as { status: string }).status}`,
        )
  }
  lives.cancel(task, graceMs)
  lives.settle()
  return isOver(task.phase) ? keptResult(await outbox.kept()) : ok(true)
}

/** Stops all tasks of a graph that are not over, with records or without. Resolves as {@link cancelTask} does. */
export const cancelGraph = async (parts: Parts, key: number, graceMs: number): Promise<Result<Graph>> => {
  const { store, lives, outbox, removed } = parts
  const graph = await store.graph(key)
  if (graph === null) return graphNotFound(graphIdOf(key))
  const status = graphStatus(graph)
  if (status === 'success' || status === 'failed')
    return refused('conflict', `graph ${graphIdOf(key)} is over: ${status}`)
  for (const task of [...store.unfinishedOf(graph), ...(removed.get(graph) ?? [])])
    lives.cancel(task, graceMs)
  lives.settle()
  const kept = keptResult(await outbox.kept())
  return kept.ok ? ok(graph) : kept
}

const keptResult = (reason: string): Result<true> =>
  reason === '' ? ok(true) : refused('unavailable', `it is cancelled, which could not be kept yet: ${reason}`)
