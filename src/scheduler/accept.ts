/** A checked graph becomes tasks that know who waits for them. */
import type { GraphPlan } from '../domain/graph.ts'
import { type Graph, newGraph } from '../domain/graph-record.ts'
import { newTask } from '../domain/new-task.ts'
import { type Task, handleOf } from '../domain/task.ts'

/** Keys grow by one for each task, over restarts too. */
export class Keys {
  #last: number

  /** @param last the largest key ever given */
  constructor(last = 0) {
    this.#last = last
  }

  /** The first of `count` new keys in a row. */
  take(count: number): number {
    const first = this.#last + 1
    this.#last += count
    return first
  }
}

export interface AcceptedPlan {
  readonly graph: Graph
  readonly tasks: readonly Task[]
  /** New tasks that depend on one that was there already, by its id. */
  readonly outside: readonly { readonly task: Task; readonly id: string }[]
}

/** The tasks of a plan, all of one moment, in its order, without those whose ids are in `existing`. */
export const acceptPlan = (
  plan: GraphPlan,
  keys: Keys,
  nowMs: number,
  isRelaxed: boolean,
  existing: Pick<ReadonlySet<string>, 'has' | 'size'> = NONE,
  traceparent = '',
): AcceptedPlan => {
  const size = plan.tasks.length - existing.size
  const firstKey = keys.take(size)
  const graph = newGraph(firstKey, size, nowMs, isRelaxed, traceparent)
  const tasks: Task[] = []
  const byPlace: (Task | null)[] = new Array(plan.tasks.length)
  for (let place = 0; place < byPlace.length; place++) {
    const submitted = plan.tasks[place]!
    byPlace[place] = null
    if (existing.size > 0 && existing.has(submitted.id)) continue
    const key = firstKey + tasks.length
    const handleId = submitted.type === 'mcp' ? handleOf(key) : ''
    const task = newTask(submitted, { key, graph, createdMs: nowMs, handleId, attempt: 0 })
    tasks.push(task)
    byPlace[place] = task
  }
  const outside: { task: Task; id: string }[] = []
  for (let place = 0; place < byPlace.length; place++) {
    const places = plan.dependents[place]
    if (places == null) continue
    const task = byPlace[place]
    const dependents: Task[] = []
    for (const at of places) {
      const dependent = byPlace[at]
      if (dependent != null) dependents.push(dependent)
    }
    if (task != null) task.dependents = dependents
    else for (const dependent of dependents) outside.push({ task: dependent, id: plan.tasks[place]!.id })
  }
  return { graph, tasks, outside }
}

const NONE: ReadonlySet<string> = new Set()
