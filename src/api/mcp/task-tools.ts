/** `get_task`, `list_tasks` and `cancel`. */
import { type Json, type JsonObject, isJsonObject } from '../../domain/json.ts'
import { type Result, ok, refused } from '../../domain/errors.ts'
import { graceIn } from '../grace.ts'
import type { AskedPage } from '../task-page.ts'
import { CancelSchema, parse } from '../schemas.ts'
import type { TaskObject } from './backend.ts'
import { MOST_CHARS, characterAt, fit } from './fit.ts'
import { CUT_NOTE, READ_AT_ONCE, line } from './report.ts'
import { CancelFields, GetFields, ListFields } from './schemas.ts'
import type { Call } from './tool.ts'

const LARGEST_READ = 200_000
const DEFAULT_LIMIT = 20
const LARGEST_LIMIT = 100

export const getTask = async (input: JsonObject, { backend }: Call): Promise<Result<JsonObject>> => {
  const fields = parse(GetFields, input)
  if (!fields.ok) return fields
  const { id, max_chars, text_at, offset } = fields.value
  const most = max_chars ?? MOST_CHARS
  if (!(most >= 1 && most <= LARGEST_READ))
    return refused('invalid', `max_chars must be from 1 to ${LARGEST_READ}`)
  if (!id) return refused('invalid', 'id is required')
  const task = await backend.task(id)
  if (!task.ok) return task
  if (text_at != null && text_at !== '') return textAt(task.value, text_at, offset ?? 0, most)
  const { value, isCut } = fit(withoutTwins(task.value), most)
  return ok({ task: value, ...(isCut ? { notes: [CUT_NOTE] } : {}) })
}

/** `runtime.output` is `result`, and a task of the daemon's own tools has its `params` in `input` too. */
const withoutTwins = (task: TaskObject): JsonObject => {
  const { runtime, input, ...rest } = task as JsonObject
  if (isJsonObject(runtime)) {
    const { output: _, ...others } = runtime
    rest['runtime'] = others
  }
  const isTwin = input !== undefined && JSON.stringify(input) === JSON.stringify(task['params'])
  return input === undefined || isTwin ? rest : { ...rest, input }
}

const textAt = (task: TaskObject, path: string, offset: number, most: number): Result<JsonObject> => {
  const found = path
    .split('.')
    .reduce<Json | undefined>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as JsonObject)[key]
          : undefined,
      task,
    )
  if (found === undefined) return refused('not_found', `the task has nothing at ${JSON.stringify(path)}`)
  const text = typeof found === 'string' ? found : JSON.stringify(found)
  if (!(offset >= 0 && offset <= text.length))
    return refused('invalid', `offset must be from 0 to ${text.length}, the length of the text`)
  const from = characterAt(text, offset)
  const to = characterAt(text, Math.min(text.length, from + most))
  return ok({
    text: text.slice(from, to),
    total_chars: text.length,
    ...(to < text.length ? { next_offset: to } : {}),
  })
}

export const listTasks = async (input: JsonObject, { backend }: Call): Promise<Result<JsonObject>> => {
  const fields = parse(ListFields, input)
  if (!fields.ok) return fields
  const { limit: given, cursor: first, ...filters } = fields.value
  const limit = given ?? DEFAULT_LIMIT
  if (!(limit >= 1 && limit <= LARGEST_LIMIT))
    return refused('invalid', `limit must be from 1 to ${LARGEST_LIMIT}`)
  const asked = Object.fromEntries(Object.entries(filters).map(([name, value]) => [name, value ?? undefined]))
  const tasks: JsonObject[] = []
  let cursor = first ?? ''
  do {
    const page = await backend.page({
      ...(asked as AskedPage),
      limit: String(Math.min(READ_AT_ONCE, limit - tasks.length)),
      cursor,
    })
    if (!page.ok) return page
    tasks.push(...page.value.tasks.map(line))
    cursor = page.value.nextCursor
  } while (cursor !== '' && tasks.length < limit)
  return ok({ tasks, ...(cursor === '' ? {} : { next_cursor: cursor }) })
}

export const cancel = async (input: JsonObject, { backend }: Call): Promise<Result<JsonObject>> => {
  const fields = parse(CancelFields, input)
  if (!fields.ok) return fields
  const body = parse(CancelSchema, input)
  const graceMs = body.ok ? graceIn(body.value?.grace_ms) : body
  if (!graceMs.ok) return graceMs
  const { task_id, graph_id } = fields.value
  if (((task_id ?? '') !== '') === ((graph_id ?? '') !== ''))
    return refused('invalid', 'either task_id or graph_id is required')
  if (task_id) {
    const task = await backend.cancelTask(task_id, graceMs.value)
    return task.ok ? ok({ task: line(task.value) }) : task
  }
  const graph = await backend.cancelGraph(graph_id!, graceMs.value)
  return graph.ok ? ok({ graph: { ...graph.value, counts: { ...graph.value.counts } } }) : graph
}
