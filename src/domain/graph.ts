/**
 * A submitted graph becomes a plan that can be scheduled, or the first problem found.
 * The messages and their order are the guide's.
 * @see contract A2, A4
 */
import { type Result, ok, refused } from './errors.ts'
import type { Limits } from './limits.ts'
import { isKnownType } from './normalize.ts'
import { quote } from './quote.ts'
import { CATEGORIES, HIGHEST_PRIORITY, RUN_IFS, type SubmittedTask } from './task.ts'

/** A graph without a problem. Tasks are named by their place in it. */
export interface GraphPlan {
  readonly tasks: readonly SubmittedTask[]
  /** For each task the places of those that depend on it, `null` for none. One that is named twice is in it twice. */
  readonly dependents: readonly (readonly number[] | null)[]
}

/** Checks a graph and finds who depends on whom. */
export const planGraph = (tasks: readonly SubmittedTask[], limits: Limits): Result<GraphPlan> => {
  if (tasks.length === 0) return refused('invalid', 'task graph is empty')
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
      return refused('invalid', `unknown task type: ${task.type} (available: ${CATEGORIES.join(', ')})`)
    }
  }
  return ok({ tasks, dependents })
}

export const tooManyTasks = (count: number, { tasksPerGraph }: Limits) =>
  refused('invalid', `task graph has ${count} tasks: at most ${tasksPerGraph} are allowed`)

/** Each task by itself, in order; fills `places`. Returns the first problem, `''` for none. */
const checkTasks = (tasks: readonly SubmittedTask[], places: Map<string, number>, limits: Limits): string => {
  for (let place = 0; place < tasks.length; place++) {
    const task = tasks[place]!
    if (task.id === '') return 'task id is required'
    if (task.type === '') return `task ${quote(task.id)}: type is required`
    places.set(task.id, place)
    if (places.size !== place + 1) return `duplicate task id: ${quote(task.id)}`
    if (task.retry < 0) return `task ${quote(task.id)}: retry cannot be negative`
    if (task.timeoutMs < 0) return `task ${quote(task.id)}: timeout cannot be negative`
    const problem = checkConditions(task)
    if (problem !== '') return `task ${quote(task.id)}: ${problem}`
    const tooBig = checkSizes(task, limits)
    if (tooBig !== '') return tooBig
  }
  return ''
}

/** When and whether it runs. */
const checkConditions = (task: SubmittedTask): string => {
  if (task.priority < 0 || task.priority > HIGHEST_PRIORITY)
    return `priority must be from 0 to ${HIGHEST_PRIORITY}`
  if (Number.isNaN(task.runAtMs))
    return `run_at must be an RFC 3339 time (got ${quote(task.runAtText ?? '')})`
  if (task.delayMs < 0) return 'delay_ms cannot be negative'
  if (!RUN_IFS.includes(task.runIf))
    return `run_if must be one of ${RUN_IFS.join(', ')} (got ${quote(task.runIf)})`
  if (task.runIf === 'failure' && task.dependsOn.length === 0) return 'run_if "failure" needs depends_on'
  return ''
}

const checkSizes = (task: SubmittedTask, limits: Limits): string => {
  // An id of n UTF-16 units takes at most 3n bytes: measure only where it could be too long.
  if (task.id.length * 3 > limits.idBytes && utf8Length(task.id) > limits.idBytes) {
    return `task ${quote(`${task.id.slice(0, 32)}…`)}: id is ${utf8Length(task.id)} bytes: at most ${limits.idBytes} are allowed`
  }
  if (task.dependsOn.length > limits.dependenciesPerTask) {
    return `task ${quote(task.id)}: depends_on names ${task.dependsOn.length} tasks: at most ${limits.dependenciesPerTask} are allowed`
  }
  return ''
}

/** Bytes of `text` in UTF-8. */
const utf8Length = (text: string): number => {
  let bytes = 0
  for (const char of text) {
    const point = char.codePointAt(0)!
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return bytes
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
        if (dependency === undefined) return `task ${quote(task.id)} depends on unknown task ${quote(id)}`
        if (dependency === place) return `task ${quote(task.id)} cannot depend on itself`
        lastPlaces.push(dependency)
      }
    }
    for (const dependency of lastPlaces) {
      if (dependency === place) return `task ${quote(task.id)} cannot depend on itself`
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
