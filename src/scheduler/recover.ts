/** The unfinished tasks of an earlier run, linked again. */
import type { Task } from '../domain/task.ts'
import type { Recovered } from '../store/store.ts'

/** What has to happen with the tasks found at a start. */
export interface Relinked {
  /** Tasks that wait for nothing, oldest first. */
  readonly ready: readonly Task[]
  /** Tasks with a dependency that cannot succeed any more, and the message that says so. */
  readonly skip: readonly { readonly task: Task; readonly error: string }[]
}

/** Links each task with those that it waits for, by what became of its dependencies. */
export const relink = (recovered: readonly Recovered[]): Relinked => {
  const byId = new Map(recovered.map(({ task }) => [task.id, task]))
  const ready: Task[] = []
  const skip: { task: Task; error: string }[] = []
  for (const { task, settledDependencies } of recovered) {
    let decided = ''
    task.waitingFor = 0
    for (const id of task.dependsOn) {
      const ended = settledDependencies.get(id)
      if (ended === 'success') continue
      if (ended !== undefined) {
        decided ||= `dependency ${id} ${ended}`
        continue
      }
      const dependency = byId.get(id)!
      task.waitingFor++
      if (dependency.dependents === null) dependency.dependents = [task]
      else dependency.dependents.push(task)
    }
    task.phase = 'blocked'
    if (decided !== '') skip.push({ task, error: decided })
    else if (task.waitingFor === 0) ready.push(task)
  }
  for (const task of ready) task.phase = 'ready'
  return { ready, skip }
}
