/** What an agent is told of tasks: enough to go on, and how to get the rest. */
import type { Json, JsonObject } from '../../domain/json.ts'
import { type Result, ok } from '../../domain/errors.ts'
import type { Status } from '../../domain/lifecycle.ts'
import type { GraphView } from '../graph-view.ts'
import type { Backend, TaskObject } from './backend.ts'
import { MOST_CHARS, cutText, fit } from './fit.ts'

/** Of a graph. */
export const MOST_TASKS = 50
/** Read at a time: a task may hold megabytes, of which little is told. */
export const READ_AT_ONCE = 10
const LONGEST_ERROR = 600
/** Of a tool: whoever submits an mcp task may name it as they like. */
const LONGEST_NAME = 200
/** Of a larger graph, the first so many of each: what went wrong says most. */
const SHARES: readonly (readonly [status: Status, most: number])[] = [
  ['failed', 25],
  ['running', 10],
  ['skipped', 5],
  ['pending', 5],
  ['success', MOST_TASKS],
]

export const CUT_NOTE =
  'Long outputs are cut here. get_task with the id, text_at (such as "result.stdout") and offset reads all of one.'

export interface Told {
  readonly tasks: readonly JsonObject[]
  readonly isCut: boolean
}

/** In few words, without what a task was submitted with. */
const told = (task: TaskObject, resultChars: number): { task: JsonObject; isCut: boolean } => {
  const runtime = (task['runtime'] ?? {}) as JsonObject
  const code = ((runtime['error'] ?? {}) as JsonObject)['code']
  const result = task['result'] === undefined ? null : fit({ result: task['result'] }, resultChars)
  return {
    task: {
      id: task.id,
      status: task.status,
      tool: cutText(String(task['tool_name'] ?? task['type']), LONGEST_NAME),
      ...present('run_status', task['run_status'] === task.status ? undefined : task['run_status']),
      ...present('attempt', runtime['attempt']),
      ...present('duration_ms', runtime['duration_ms']),
      ...(typeof task['error'] === 'string' ? { error: cutText(task['error'], LONGEST_ERROR) } : {}),
      ...present('error_code', code),
      ...(result?.value as JsonObject | undefined),
    },
    isCut: result?.isCut === true,
  }
}

const present = (name: string, value: Json | undefined): JsonObject =>
  value === undefined ? {} : { [name]: value }

/** Without its result: a line of a list. */
export const line = (task: TaskObject): JsonObject => {
  const { result: _, ...rest } = task
  return {
    ...told(rest as TaskObject, 0).task,
    ...present('graph_id', task['graph_id']),
    ...present('created_at', task['created_at']),
    ...present('updated_at', task['updated_at']),
  }
}

/** Tells each as soon as it is read, so that no more than a few are held. */
class Teller {
  readonly tasks: JsonObject[] = []
  isCut = false
  readonly #resultChars: number

  constructor(count: number) {
    this.#resultChars = Math.floor(MOST_CHARS / Math.max(1, Math.min(count, MOST_TASKS)))
  }

  tell(task: TaskObject): void {
    const { task: words, isCut } = told(task, this.#resultChars)
    this.tasks.push(words)
    this.isCut ||= isCut
  }
}

export const tellNamed = async (backend: Backend, ids: readonly string[]): Promise<Told> => {
  const teller = new Teller(ids.length)
  for (const id of ids) {
    const task = await backend.task(id)
    // One that was removed meanwhile is not told.
    if (task.ok) teller.tell(task.value)
  }
  return teller
}

/** The tasks of a graph in its order; of a large one some of each status. */
export const tellGraph = async (backend: Backend, { graph_id, counts }: GraphView): Promise<Result<Told>> => {
  const size = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const teller = new Teller(size)
  const shares = size <= MOST_TASKS ? [['', MOST_TASKS] as const] : SHARES
  for (const [status, most] of shares) {
    const last = Math.min(MOST_TASKS, teller.tasks.length + most)
    for (let cursor = ''; teller.tasks.length < last; ) {
      const limit = String(Math.min(READ_AT_ONCE, last - teller.tasks.length))
      const page = await backend.page({ graph_id, status, limit, cursor })
      if (!page.ok) return page
      for (const task of page.value.tasks) teller.tell(task)
      cursor = page.value.nextCursor
      if (cursor === '') break
    }
  }
  return ok(teller)
}
