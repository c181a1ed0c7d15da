/** A checked graph becomes tasks that know who waits for them. */
import type { GraphPlan } from '../domain/graph.ts'
import { newTask } from '../domain/new-task.ts'
import { type Task, handleOf } from '../domain/task.ts'

/** Keys that grow for good, over restarts too: microseconds since 1970, or one more than the last. */
export class Keys {
  #last = 0

  next(nowMs: number): number {
    this.#last = Math.max(this.#last + 1, nowMs * 1000)
    return this.#last
  }

  /** Notes a key that is in use already: those to come are larger. */
  passOver(key: number): void {
    this.#last = Math.max(this.#last, key)
  }
}

/** The tasks of a plan, all of one moment, in its order. */
export const acceptPlan = (plan: GraphPlan, keys: Keys, nowMs: number): Task[] => {
  const tasks: Task[] = new Array(plan.tasks.length)
  for (let place = 0; place < tasks.length; place++) {
    const submitted = plan.tasks[place]!
    const key = keys.next(nowMs)
    const handleId = submitted.type === 'mcp' ? handleOf(key) : ''
    tasks[place] = newTask(submitted, { key, createdMs: nowMs, handleId, attempt: 0 })
  }
  for (let place = 0; place < tasks.length; place++) {
    const dependents = plan.dependents[place]
    if (dependents != null) tasks[place]!.dependents = dependents.map((dependent) => tasks[dependent]!)
  }
  return tasks
}
