/**
 * The messages of execgo.proto as objects (proto-loader: `keepCase`, `longs: Number`, `defaults`), and the ways between
 * them and the wire's JSON.
 */
import { type Result, ok, refused } from '../../domain/errors.ts'
import { type Json, type JsonObject, isJsonObject } from '../../domain/json.ts'
import { DEFAULT_PRIORITY } from '../../domain/task.ts'
import { parseRfc3339 } from '../../domain/time.ts'
import type { GraphView } from '../graph-view.ts'
import { ObjectSchema, parse, parseJson } from '../schemas.ts'
import type { AskedPage } from '../task-page.ts'
import { wellFormed } from './text.ts'

/** `Task`. @see proto/execgo/v1/execgo.proto for the units and what an empty field means */
export interface TaskMessage {
  readonly id: string
  readonly type: string
  readonly params_json: string
  readonly depends_on: readonly string[]
  readonly retry: number
  readonly timeout_ms: number
  readonly status: string
  readonly result_json: string
  readonly error: string
  readonly created_at_unix_ms: number
  readonly updated_at_unix_ms: number
  readonly tool_name: string
  readonly input_json: string
  readonly run_status: string
  readonly runtime_json: string
  readonly handle_id: string
  readonly progress_json: string
  readonly annotations: Readonly<Record<string, string>>
  readonly execution_category: string
  readonly graph_id: string
  /** Absent: the default. */
  readonly priority?: number
  readonly run_at_unix_ms: number
  readonly delay_ms: number
  readonly allow_failure: boolean
  readonly run_if: string
}

export interface TaskGraphMessage {
  readonly tasks: readonly TaskMessage[]
  readonly on_conflict: string
  readonly durability: string
  readonly idempotency_key: string
}

/** `Graph`. */
export interface GraphMessage {
  readonly graph_id: string
  readonly status: string
  readonly counts: GraphView['counts']
  readonly created_at_unix_ms: number
  readonly finished_at_unix_ms: number
}

/** `ListTasksRequest`. */
export interface ListTasksMessage {
  readonly page_size: number
  readonly page_token: string
  readonly status: string
  readonly type: string
  readonly tool: string
  readonly graph_id: string
  readonly prefix: string
  readonly order: string
}

const INT32_MAX = 2 ** 31 - 1

// ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where `params` and `input` lie in the body of `POST /tasks`: in a task, in the list, in the graph. */
const LEVELS_ABOVE = 3

/** A graph as the value that the body of `POST /tasks` would have parsed to. @param levels as deep as that may be */
export const graphValue = (
  { tasks, on_conflict, durability }: TaskGraphMessage,
  levels: number,
): Result<JsonObject> => {
  const values: JsonObject[] = []
  for (const [place, task] of tasks.entries()) {
    const params = objectIn(task.params_json, `tasks[${place}].params_json`, levels)
    if (!params.ok) return params
    const input = objectIn(task.input_json, `tasks[${place}].input_json`, levels)
    if (!input.ok) return input
    values.push({
      id: task.id,
      type: task.type,
      params: params.value,
      depends_on: [...task.depends_on],
      retry: task.retry,
      timeout: task.timeout_ms,
      tool_name: task.tool_name,
      input: input.value,
      // An empty map cannot be told from none.
      annotations: Object.keys(task.annotations).length === 0 ? null : { ...task.annotations },
      priority: task.priority ?? null,
      run_at: runAt(task.run_at_unix_ms),
      delay_ms: task.delay_ms,
      allow_failure: task.allow_failure,
      run_if: task.run_if || null,
    })
  }
  return ok({ tasks: values, on_conflict: on_conflict || null, durability: durability || null })
}

/** `null` where nothing of a page is said. */
export const askedPage = ({ page_size, page_token, ...asked }: ListTasksMessage): AskedPage | null => {
  const page = { ...asked, limit: page_size === 0 ? '' : String(page_size), cursor: page_token }
  return Object.values(page).every((value) => value === '') ? null : page
}

/** The last time that RFC 3339 can say. What is later, or before 1970, is named as it came. */
const LATEST_MS = Date.UTC(10_000, 0) - 1

const runAt = (atMs: number): string | null => {
  if (atMs === 0) return null
  return atMs > 0 && atMs <= LATEST_MS ? new Date(atMs).toISOString() : String(atMs)
}

/** The object in a field of JSON text, null for none. A refusal names the field. */
const objectIn = (json: string, field: string, levels: number): Result<JsonObject | null> => {
  if (json === '') return ok(null)
  const value = parseJson(json, levels - LEVELS_ABOVE)
  const object = value.ok ? parse(ObjectSchema, value.value) : value
  return object.ok ? object : refused('invalid', withField(object.problem.message, field))
}

const INVALID_JSON = 'invalid JSON: '

/** `invalid JSON: <reason>` → `invalid JSON: <field>: <reason>`. */
const withField = (message: string, field: string): string =>
  `${INVALID_JSON}${field}: ${message.slice(INVALID_JSON.length)}`

// ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A task's JSON text as a message. Fields of a kept record that are of the wrong type are read as absent. */
export const taskMessage = (json: string): TaskMessage => {
  const task = JSON.parse(json) as JsonObject
  return {
    id: text(task.id),
    type: text(task.type),
    params_json: jsonText(task.params),
    depends_on: texts(task.depends_on),
    retry: Math.min(number(task.retry), INT32_MAX),
    timeout_ms: number(task.timeout),
    status: text(task.status),
    result_json: jsonText(task.result),
    error: text(task.error),
    created_at_unix_ms: unixMs(task.created_at),
    updated_at_unix_ms: unixMs(task.updated_at),
    tool_name: text(task.tool_name),
    input_json: jsonText(task.input),
    run_status: text(task.run_status),
    runtime_json: jsonText(task.runtime),
    handle_id: text(task.handle_id),
    progress_json: jsonText(task.progress),
    annotations: textMap(task.annotations),
    execution_category: text(task.execution_category),
    graph_id: text(task.graph_id),
    priority: typeof task.priority === 'number' ? task.priority : DEFAULT_PRIORITY,
    run_at_unix_ms: unixMs(task.run_at),
    delay_ms: 0,
    allow_failure: task.allow_failure === true,
    run_if: text(task.run_if),
  }
}

export const graphMessage = (graph: GraphView): GraphMessage => ({
  graph_id: graph.graph_id,
  status: graph.status,
  counts: graph.counts,
  created_at_unix_ms: unixMs(graph.created_at),
  finished_at_unix_ms: unixMs(graph.finished_at),
})

type Field = Json | undefined

const text = (value: Field): string => (typeof value === 'string' ? wellFormed(value) : '')

const number = (value: Field): number => (typeof value === 'number' ? value : 0)

const texts = (value: Field): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string').map(wellFormed) : []

const textMap = (value: Field): Record<string, string> =>
  isJsonObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, item]) => [wellFormed(name), text(item)]))
    : {}

/** Compact JSON text, `''` for none. */
const jsonText = (value: Field): string => (value == null ? '' : JSON.stringify(value))

const unixMs = (value: Field): number => {
  const atMs = typeof value === 'string' ? parseRfc3339(value) : Number.NaN
  return Number.isNaN(atMs) ? 0 : atMs
}
