/** Tasks that were kept and are to run, linked with those that they wait for. */
import { type DependencyEnd, endOf } from '../domain/dependency.ts'
import { isOver } from '../domain/lifecycle.ts'
import type { Task } from '../domain/task.ts'
import type { Recovered } from '../store/store.ts'

/** A task that waits, and those of its dependencies that are over: it is still to be told of them. */
export interface Relinked {
  readonly task: Task
  readonly settled: readonly (readonly [id: string, end: DependencyEnd])[]
}

/**
 * Links each task with those that it waits for, by what became of its dependencies.
 * @param find tasks that were not over, and are not among these
 */
export const relink = (recovered: readonly Recovered[], find: (id: string) => Task | null): Relinked[] => {
  const byId = new Map(recovered.map(({ task }) => [task.id, task]))
  return recovered.map(({ task, settledDependencies }) => {
    const settled: [string, DependencyEnd][] = []
    // Cancelled while it was being kept.
    if (isOver(task.phase)) return { task, settled }
    task.phase = 'blocked'
    task.waitingFor = task.dependsOn.length
    for (const id of task.dependsOn) {
      const end = settledDependencies.get(id)
      const dependency = end === undefined ? (byId.get(id) ?? find(id)) : null
      if (dependency === null) settled.push([id, end ?? 'deleted'])
      else if (isOver(dependency.phase)) settled.push([id, endOf(dependency)])
      else if (dependency.dependents === null) dependency.dependents = [task]
      else dependency.dependents.push(task)
    }
    return { task, settled }
  })
}
