/**
 * The wire's shapes. Whatever comes in is parsed here once, into what the domain works with; the first value of a wrong
 * type is named by its path. Keys that are not known are let through and ignored.
 * @see contract A2, A3
 */
import * as v from 'valibot'
import { type Result, ok, refused } from '../domain/errors.ts'
import { tooManyTasks } from '../domain/graph.ts'
import { type JsonObject, areSame, isJsonObject } from '../domain/json.ts'
import { isDeeperThan } from '../domain/json-depth.ts'
import { DEFAULT_LIMITS } from '../domain/limits.ts'
import { DEFAULT_PRIORITY, type RunIf, type SubmittedTask } from '../domain/task.ts'
import { parseRfc3339 } from '../domain/time.ts'
import { ON_CONFLICTS, type OnConflict } from '../scheduler/submit.ts'
import type { Durability } from '../store/store.ts'
import { type Check, checkOfObject, checked, unless } from './schema-checks.ts'

// A schema's message says what was expected; describe() says what came.
const integer = v.pipe(v.number('an integer'), v.safeInteger('an integer'))
const isText: Check = (value) => typeof value === 'string'
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText)
const text = checked(v.string('a string'), isText)
const object = checked(v.custom<Record<string, unknown>>(isJsonObject, 'an object'), isJsonObject)
// valibot's own object and record take a list for one.
const objectOf = <E extends v.ObjectEntries>(entries: E) => v.pipe(object, v.object(entries))
// valibot's own record drops what is named `constructor` or `prototype`.
const annotations = unless(
  (value) => isJsonObject(value) && Object.values(value).every(isText),
  v.pipe(
    v.custom<Record<string, unknown>>(isJsonObject, 'an object of strings'),
    v.metadata({ additionalProperties: { type: 'string' } }),
    v.rawCheck(({ dataset, config, addIssue }) => {
      if (!dataset.typed) return
      for (const [key, value] of Object.entries(dataset.value)) {
        if (typeof value === 'string') continue
        const path = { type: 'object', origin: 'value', input: dataset.value, key, value } as const
        addIssue({ message: 'a string', input: value, path: [path] })
        if (config.abortEarly) return
      }
    }),
  ),
)
const flag = v.boolean('true or false')
const texts = checked(unless(isTexts, v.array(text, 'an array of strings')), isTexts)

const taskEntries = {
  id: v.nullish(text),
  type: v.nullish(text),
  params: v.nullish(object),
  depends_on: v.nullish(texts),
  retry: v.nullish(integer),
  timeout: v.nullish(integer),
  tool_name: v.nullish(text),
  input: v.nullish(object),
  annotations: v.nullish(annotations),
  priority: v.nullish(integer),
  run_at: v.nullish(text),
  delay_ms: v.nullish(integer),
  allow_failure: v.nullish(flag),
  run_if: v.nullish(text),
}

const isTask = checkOfObject(taskEntries)
const isTasks: Check = (value) => Array.isArray(value) && value.every(isTask)

/** A task as `POST /tasks` takes it. Absent and null are the same. */
export const TaskSchema = unless(isTask, objectOf(taskEntries))
export const TASK_FIELDS: readonly string[] = Object.keys(taskEntries)

const DURABILITIES = ['sync', 'relaxed'] as const

const graphEntries = {
  tasks: v.nullish(checked(v.array(TaskSchema, 'an array of tasks'), isTasks)),
  on_conflict: v.nullish(v.picklist(ON_CONFLICTS, '"replace", "reject" or "ignore"')),
  durability: v.nullish(
    checked(v.picklist(DURABILITIES, '"sync" or "relaxed"'), (value) =>
      (DURABILITIES as readonly unknown[]).includes(value),
    ),
  ),
}

/** The body of `POST /tasks`. */
const isGraph = checkOfObject(graphEntries)
export const TaskGraphSchema = v.nullish(unless(isGraph, objectOf(graphEntries)))
export const GRAPH_FIELDS: readonly string[] = Object.keys(graphEntries)

/** The body of a cancel, which may be absent. */
export const CancelSchema = v.nullish(objectOf({ grace_ms: v.nullish(integer) }))

/** The body of `POST /mcp/call`. */
export const McpCallSchema = objectOf({
  id: v.nullish(text),
  tool_name: v.nullish(text),
  input: v.nullish(object),
  timeout: v.nullish(integer),
})

/** An object, or null. */
export const ObjectSchema = v.nullable(v.custom<JsonObject>(isJsonObject, 'an object'))

export type TaskInput = v.InferOutput<typeof TaskSchema>
type GraphInput = v.InferOutput<typeof TaskGraphSchema>

/** A graph as it was submitted. */
export interface SubmittedGraph {
  readonly tasks: readonly SubmittedTask[]
  readonly onConflict: OnConflict
  /** `null` where the submission does not say. */
  readonly durability: Durability | null
}

/** A call of an `mcp` tool. */
export interface McpCall {
  /** `''` for a fresh one. */
  readonly id: string
  readonly toolName: string
  readonly inputJson: string
  readonly timeoutMs: number
}

/** A parsed JSON text as a graph. */
export const parseGraph = (value: unknown, limits = DEFAULT_LIMITS): Result<SubmittedGraph> => {
  // Before each of millions is looked at.
  const given = isJsonObject(value) ? value['tasks'] : null
  if (Array.isArray(given) && given.length > limits.tasksPerGraph) return tooManyTasks(given.length, limits)
  const parsed = isGraph(value) ? ok(value as GraphInput) : parse(TaskGraphSchema, value)
  if (!parsed.ok) return parsed
  const parsedTasks = parsed.value?.tasks ?? []
  return written(() => {
    const tasks = submittedTasks(parsedTasks)
    for (let place = 0; place < tasks.length; place++) {
      const { paramsJson, inputJson } = tasks[place]!
      if (!paramsJson.includes('null') && !inputJson.includes('null')) continue
      const { params, input } = parsedTasks[place]!
      const problem = infinityIn({ params, input }, `tasks[${place}]`)
      if (problem !== null) return problem
    }
    const onConflict = parsed.value?.on_conflict ?? 'replace'
    return ok({ tasks, onConflict, durability: parsed.value?.durability ?? null })
  })
}

/** The parsed body of `POST /mcp/call`. */
export const parseMcpCall = (value: unknown): Result<McpCall> => {
  const parsed = parse(McpCallSchema, value ?? {})
  if (!parsed.ok) return parsed
  const { id, tool_name, input, timeout } = parsed.value
  return written(() => {
    const inputJson = jsonText(input)
    const timeoutMs = Math.max(0, timeout ?? 0)
    return infinityIn(input, 'input') ?? ok({ id: id ?? '', toolName: tool_name ?? '', inputJson, timeoutMs })
  })
}

/** What writes JSON again that was parsed: that it is nested too deep is the one way in which it throws. */
const written = <T>(write: () => Result<T>): Result<T> => {
  try {
    return write()
  } catch (error) {
    if (error instanceof RangeError)
      return refused('invalid', 'invalid JSON: params or input are nested too deep')
    throw error
  }
}

/** Refuses a number that is too large for a double, such as 1e999, and would become `null` in JSON text. */
const infinityIn = (value: unknown, path: string): ReturnType<typeof refused> | null => {
  if (typeof value === 'number' && !Number.isFinite(value))
    return refused('invalid', `invalid JSON: ${path}: expected a finite number, got ${value}`)
  if (typeof value !== 'object' || value === null) return null
  if (Array.isArray(value)) {
    // Entries of millions of numbers would take gigabytes.
    for (let at = 0; at < value.length; at++) {
      const problem = isPlain(value[at]) ? null : infinityIn(value[at], `${path}[${at}]`)
      if (problem !== null) return problem
    }
    return null
  }
  for (const [key, item] of Object.entries(value)) {
    const problem = infinityIn(item, `${path}.${key}`)
    if (problem !== null) return problem
  }
  return null
}

const isPlain = (value: unknown): boolean =>
  typeof value === 'number' ? Number.isFinite(value) : typeof value !== 'object' || value === null

const submittedTasks = (tasks: readonly TaskInput[]): SubmittedTask[] => {
  const submitted: SubmittedTask[] = []
  // Those of a layer wait for the same tasks: they share one list.
  let dependsOn: readonly string[] = []
  for (const task of tasks) {
    const own = task.depends_on ?? []
    if (!areSame(own, dependsOn)) dependsOn = own
    submitted.push(submittedTask(task, dependsOn))
  }
  return submitted
}

/** @param dependsOn its own list, or an equal one */
export const submittedTask = (task: TaskInput, dependsOn: readonly string[]): SubmittedTask => {
  const submitted = asSubmitted(task, dependsOn)
  return Number.isNaN(submitted.runAtMs) ? { ...submitted, runAtText: task.run_at ?? '' } : submitted
}

const asSubmitted = (task: TaskInput, dependsOn: readonly string[]): SubmittedTask => ({
  id: task.id ?? '',
  type: task.type ?? '',
  paramsJson: jsonText(task.params),
  inputJson: jsonText(task.input),
  // Where they are empty the original leaves them out.
  annotationsJson: jsonText(isEmpty(task.annotations) ? null : task.annotations),
  dependsOn,
  retry: task.retry ?? 0,
  timeoutMs: task.timeout ?? 0,
  toolName: task.tool_name ?? '',
  priority: task.priority ?? DEFAULT_PRIORITY,
  runAtMs: task.run_at == null ? 0 : parseRfc3339(task.run_at),
  delayMs: task.delay_ms ?? 0,
  allowFailure: task.allow_failure ?? false,
  // The plan refuses what is none.
  runIf: (task.run_if ?? 'success') as RunIf,
})

const isEmpty = (value: object | null | undefined): boolean => {
  for (const _ in value) return false
  return true
}

const jsonText = (value: object | null | undefined): string => (value == null ? '' : JSON.stringify(value))

/** Parses `value`, or says where and how the first thing in it is of the wrong type. */
export const parse = <S extends v.GenericSchema>(schema: S, value: unknown): Result<v.InferOutput<S>> => {
  const parsed = v.safeParse(schema, value, { abortEarly: true, abortPipeEarly: true })
  if (parsed.success) return ok(parsed.output)
  const issue = parsed.issues[0]
  const where = pathOf(issue.path)
  return refused('invalid', `invalid JSON: ${where === '' ? '' : `${where}: `}${wrongType(issue)}`)
}

/** What was expected, and what came. */
export const wrongType = ({
  message,
  input,
}: {
  readonly message: string
  readonly input: unknown
}): string => `expected ${message}, got ${describe(input)}`

/** `tasks[3].retry`. */
const pathOf = (path: readonly { readonly key?: unknown }[] | undefined): string => {
  let where = ''
  for (const { key } of path ?? []) {
    if (typeof key === 'number') where += `[${key}]`
    else where += where === '' ? String(key) : `.${String(key)}`
  }
  return where
}

const MAX_SHOWN_CHARS = 40

const describe = (value: unknown): string => {
  if (Array.isArray(value)) return 'an array'
  if (value === undefined) return 'nothing'
  if (typeof value === 'object' && value !== null) return 'an object'
  const shown = typeof value === 'number' ? String(value) : JSON.stringify(value)
  return shown.length > MAX_SHOWN_CHARS ? `${shown.slice(0, MAX_SHOWN_CHARS)}…` : shown
}

/** A request's text as a value. @param levels how deep arrays and objects may lie in one another */
export const parseJson = (body: string, levels = DEFAULT_LIMITS.jsonDepth): Result<unknown> => {
  try {
    const value: unknown = JSON.parse(body)
    return isDeeperThan(value, levels)
      ? refused('invalid', `invalid JSON: nested more than ${levels} levels deep`)
      : ok(value)
  } catch (error) {
    return refused('invalid', `invalid JSON: ${body.trim() === '' ? 'EOF' : syntaxProblem(error as Error)}`)
  }
}

const syntaxProblem = (error: Error): string =>
  error.message === 'Unexpected end of JSON input' || error.message.startsWith('Unterminated')
    ? 'unexpected EOF'
    : error.message
