/**
 * A submitted graph becomes a plan that can be scheduled, or the first problem found.
 * The messages and their order are the guide's.
 * @see contract A2, A4
 */
import { type Result, ok, refused } from './errors.ts'
import type { Limits } from './limits.ts'
import { isKnownType } from './normalize.ts'
import { CATEGORIES, type SubmittedTask } from './task.ts'
import {
  FIELD_CHECKS,
  duplicateId,
  idRequired,
  selfDependency,
  typeRequired,
  unknownDependency,
} from './task-checks.ts'

/** A graph without a problem. Tasks are named by their place in it. */
export interface GraphPlan {
  readonly tasks: readonly SubmittedTask[]
  /** For each task the places of those that depend on it, `null` for none. One that is named twice is in it twice. */
  readonly dependents: readonly (readonly number[] | null)[]
}

/** Checks a graph and finds who depends on whom. */
export const planGraph = (tasks: readonly SubmittedTask[], limits: Limits): Result<GraphPlan> => {
  if (tasks.length === 0) return refused('invalid', EMPTY_GRAPH)
  if (tasks.length > limits.tasksPerGraph) return tooManyTasks(tasks.length, limits)
  const places = new Map<string, number>()
  const problem = checkTasks(tasks, places, limits)
  if (problem !== '') return refused('invalid', problem)

  const dependents: (number[] | null)[] = new Array(tasks.length).fill(null)
  const linkProblem = linkDependents(tasks, places, dependents)
  if (linkProblem !== '') return refused('invalid', linkProblem)
  if (hasCycle(tasks, dependents)) return refused('invalid', 'cycle detected in task graph')

  for (const task of tasks) {
    if (!isKnownType(task.type)) {
      return refused('invalid', unknownType(task.type))
    }
  }
  return ok({ tasks, dependents })
}

export const unknownType = (type: string): string =>
  `unknown task type: ${type} (available: ${CATEGORIES.join(', ')})`

export const EMPTY_GRAPH = 'task graph is empty'

export const tooManyTasks = (count: number, { tasksPerGraph }: Limits) =>
  refused('invalid', `task graph has ${count} tasks: at most ${tasksPerGraph} are allowed`)

/** Each task by itself, in order; fills `places`. Returns the first problem, `''` for none. */
const checkTasks = (tasks: readonly SubmittedTask[], places: Map<string, number>, limits: Limits): string => {
  for (let place = 0; place < tasks.length; place++) {
    const task = tasks[place]!
    const lacks = idRequired.problem(task, limits) || typeRequired.problem(task, limits)
    if (lacks !== '') return lacks
    places.set(task.id, place)
    if (places.size !== place + 1) return duplicateId(task.id)
    for (const check of FIELD_CHECKS) {
      const problem = check.problem(task, limits)
      if (problem !== '') return problem
    }
  }
  return ''
}

const linkDependents = (
  tasks: readonly SubmittedTask[],
  places: ReadonlyMap<string, number>,
  dependents: (number[] | null)[],
): string => {
  // Where the tasks are that the last one waits for: its neighbours mostly wait for the same.
  let lastIds: readonly string[] = []
  let lastPlaces: number[] = []
  for (let place = 0; place < tasks.length; place++) {
    const task = tasks[place]!
    if (task.dependsOn !== lastIds) {
      lastIds = task.dependsOn
      lastPlaces = []
      for (const id of lastIds) {
        const dependency = places.get(id)
        if (dependency === undefined) return unknownDependency(task.id, id)
        if (dependency === place) return selfDependency(task.id)
        lastPlaces.push(dependency)
      }
    }
    for (const dependency of lastPlaces) {
      if (dependency === place) return selfDependency(task.id)
      const list = dependents[dependency]
      if (list == null) dependents[dependency] = [place]
      else list.push(place)
    }
  }
  return ''
}

/** Kahn's algorithm, without recursion: tasks that are never freed of their dependencies are on a cycle, or behind one. */
const hasCycle = (
  tasks: readonly SubmittedTask[],
  dependents: readonly (readonly number[] | null)[],
): boolean => {
  const waiting = new Int32Array(tasks.length)
  const free: number[] = []
  for (let place = 0; place < tasks.length; place++) {
    waiting[place] = tasks[place]!.dependsOn.length
    if (waiting[place] === 0) free.push(place)
  }
  // `free` is both the queue and the record of who left it.
  for (let at = 0; at < free.length; at++) {
    const next = dependents[free[at]!]
    if (next == null) continue
    for (const place of next) {
      waiting[place]!--
      if (waiting[place] === 0) free.push(place)
    }
  }
  return free.length !== tasks.length
}
