/**
 * Everything that is wrong with a graph, each with its place: for `execgo validate`. The daemon answers the first
 * problem alone; the checks and their words are the same.
 */
import leven from 'leven'
import * as v from 'valibot'
import { cyclesOf } from '../domain/cycles.ts'
import { EMPTY_GRAPH, tooManyTasks, unknownType } from '../domain/graph.ts'
import { type JsonObject, isJsonObject } from '../domain/json.ts'
import { DEFAULT_LIMITS, type Limits } from '../domain/limits.ts'
import { ALIASES, isKnownType } from '../domain/normalize.ts'
import { quote } from '../domain/quote.ts'
import { CATEGORIES } from '../domain/task.ts'
import {
  FIELD_CHECKS,
  type TaskCheck,
  duplicateId,
  idRequired,
  selfDependency,
  typeRequired,
  unknownDependency,
} from '../domain/task-checks.ts'
import {
  GRAPH_FIELDS,
  TASK_FIELDS,
  TaskGraphSchema,
  type TaskInput,
  submittedTask,
  wrongType,
} from './schemas.ts'

type Path = readonly (string | number)[]

export interface GraphProblem {
  /** Keys and places from the top. The last one may be absent from the value: what is required and is not there. */
  readonly path: Path
  readonly message: string
  /** A warning is about what the daemon accepts, and that is most likely a mistake. */
  readonly severity: 'error' | 'warning'
}

/** Among more names than these none is looked for that fits better. */
const MOST_TO_COMPARE = 1000

/** @param value what the JSON or YAML text of a graph holds */
export const graphProblems = (value: unknown, limits: Limits = DEFAULT_LIMITS): GraphProblem[] => {
  const wrong = wrongTypes(value)
  const given: unknown = isJsonObject(value) ? (value['tasks'] ?? []) : []
  const tasks: unknown[] = Array.isArray(given) ? given : []
  const found = [...wrong, ...ignoredKeys(value, GRAPH_FIELDS, [])]
  if (tasks.length === 0 && wrong.length === 0) found.push(error(['tasks'], EMPTY_GRAPH))
  if (tasks.length > limits.tasksPerGraph)
    return [...found, error(['tasks'], tooManyTasks(tasks.length, limits).problem.message)]
  const wrongFields = wrongFieldsOf(wrong)
  const right = tasks.map((task, place) => withoutWrong(task, wrongFields.get(place) ?? NONE))
  for (const [place, task] of right.entries()) {
    if (task === null) continue
    found.push(...fieldProblems(task, place, wrongFields.get(place) ?? NONE, limits))
    found.push(...ignoredKeys(tasks[place], TASK_FIELDS, ['tasks', place]))
  }
  return [...found, ...linkProblems(right)]
}

const error = (path: Path, message: string): GraphProblem => ({ path, message, severity: 'error' })

const wrongTypes = (value: unknown): GraphProblem[] => {
  const { issues = [] } = v.safeParse(TaskGraphSchema, value)
  return issues.map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => key as string | number)
    return error(path, wrongType(issue))
  })
}

const NONE: ReadonlySet<unknown> = new Set()

/** For each place the fields whose types are wrong: about those nothing else can be said. */
const wrongFieldsOf = (wrong: readonly GraphProblem[]): ReadonlyMap<unknown, ReadonlySet<unknown>> => {
  const fields = new Map<unknown, Set<unknown>>()
  for (const { path } of wrong) fields.set(path[1], (fields.get(path[1]) ?? new Set()).add(path[2]))
  return fields
}

/** Null where it is no task at all. */
const withoutWrong = (task: unknown, wrong: ReadonlySet<unknown>): TaskInput | null =>
  isJsonObject(task)
    ? (Object.fromEntries(Object.entries(task).filter(([field]) => !wrong.has(field))) as TaskInput)
    : null

const fieldProblems = (
  task: TaskInput,
  place: number,
  wrong: ReadonlySet<unknown>,
  limits: Limits,
): GraphProblem[] => {
  const submitted = submittedTask(task, task.depends_on ?? [])
  const checks: readonly TaskCheck[] = [idRequired, typeRequired, ...FIELD_CHECKS]
  const found = checks.flatMap(({ field, problem }) => {
    const message = wrong.has(field) ? '' : problem(submitted, limits)
    return message === '' ? [] : [error(['tasks', place, field], message)]
  })
  const { type } = submitted
  if (type !== '' && !isKnownType(type))
    found.push(error(['tasks', place, 'type'], unknownType(type) + hint(type, [...ALIASES, ...CATEGORIES])))
  return found
}

/** Ids that are there twice, that are not there, and that wait for themselves. */
const linkProblems = (tasks: readonly (TaskInput | null)[]): GraphProblem[] => {
  const found: GraphProblem[] = []
  const places = new Map<string, number>()
  for (const [place, task] of tasks.entries()) {
    if (!task?.id) continue
    if (places.has(task.id)) found.push(error(['tasks', place, 'id'], duplicateId(task.id)))
    else places.set(task.id, place)
  }
  const ids = [...places.keys()]
  const dependencies = tasks.map((task, place) => {
    const known: number[] = []
    for (const [at, id] of (task?.depends_on ?? []).entries()) {
      const path = ['tasks', place, 'depends_on', at]
      const dependency = places.get(id)
      if (id === task?.id) found.push(error(path, selfDependency(id)))
      else if (dependency === undefined)
        found.push(error(path, unknownDependency(task!.id ?? '', id) + hint(id, ids)))
      else known.push(dependency)
    }
    return known
  })
  for (const cycle of cyclesOf(dependencies)) found.push(cycleProblem(tasks, cycle))
  return found
}

const SHOWN_OF_A_CYCLE = 10

const cycleProblem = (tasks: readonly (TaskInput | null)[], cycle: readonly number[]): GraphProblem => {
  const first = cycle[0]!
  const ids = [...cycle.slice(0, SHOWN_OF_A_CYCLE), first].map((place) => tasks[place]!.id!)
  if (cycle.length > SHOWN_OF_A_CYCLE) ids.splice(-1, 0, `… (${cycle.length - SHOWN_OF_A_CYCLE} more)`)
  return error(
    ['tasks', first, 'depends_on'],
    `cycle detected in task graph: ${ids.join(' → ')} (each waits for the next)`,
  )
}

const ignoredKeys = (value: unknown, known: readonly string[], path: Path): GraphProblem[] => {
  if (!isJsonObject(value)) return []
  return Object.keys(value as JsonObject)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      path: [...path, key],
      message: `unknown field ${quote(key)} is ignored${hint(key, known)}`,
      severity: 'warning',
    }))
}

const hint = (word: string, known: readonly string[]): string => {
  if (known.length > MOST_TO_COMPARE) return ''
  const plain = word.toLowerCase().replaceAll('-', '_')
  const most = Math.min(2, Math.floor(plain.length / 3))
  const near = known.find((each) => leven(plain, each.toLowerCase(), { maxDistance: most + 1 }) <= most)
  return near === undefined ? '' : `: did you mean ${quote(near)}?`
}
