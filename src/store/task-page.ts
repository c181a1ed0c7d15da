/** Pages of the list of tasks: the ways of taking one that all stores share. */
import type { TaskPage, TaskQuery } from './store.ts'

/** UTF-16 units after which a page is full: a thousand tasks may have a large output each. */
const FULL_CHARS = 8 * 1024 * 1024

/** A search that goes on for longer lets others have a turn. */
const SLICE_MS = 5

/**
 * @param keys candidates, in the order of the page; -1 where the search for the next one takes long
 * @param read the text of a task, `null` where it is none of those asked for
 */
export const takePage = async (
  limit: number,
  keys: Iterable<number>,
  read: (key: number) => string | null,
): Promise<TaskPage> => {
  const tasks: string[] = []
  let chars = 0
  let last = 0
  let sinceMs = performance.now()
  for (const key of keys) {
    if (performance.now() - sinceMs > SLICE_MS) {
      await new Promise((resolve) => setImmediate(resolve))
      sinceMs = performance.now()
    }
    const text = key < 0 ? null : read(key)
    if (text === null) continue
    // One more than the page holds is looked for: a page that says that another follows is right.
    if (tasks.length === limit || chars > FULL_CHARS) return { tasks, nextAfter: last }
    tasks.push(text)
    chars += text.length
    last = key
  }
  return { tasks, nextAfter: null }
}

/** What a task is filtered by but for its status and graph. */
export interface Facets {
  readonly id: string
  readonly type: string
  /** `''` for none. */
  readonly toolName: string
}

/** Whether a task is asked for, but for its status and graph. */
export const matchesFacets = ({ type, tool, prefix }: TaskQuery, task: Facets): boolean =>
  (type === null || task.type === type) &&
  (tool === '' || task.toolName === tool) &&
  task.id.startsWith(prefix)

/** The same of the text of a task that is over. */
export const matchesText = ({ type, tool, prefix }: TaskQuery, text: string): boolean => {
  if (tool !== '' && !text.includes(`"tool_name":${JSON.stringify(tool)}`)) return false
  if (type !== null || prefix !== '') {
    const head = headOf(text)
    if ((type !== null && head.type !== type) || !head.id.startsWith(prefix)) return false
  }
  // What looks like it may be part of the params.
  return tool === '' || (JSON.parse(text) as { tool_name?: unknown }).tool_name === tool
}

/** Of the text of a task that is over. The id is no part of it: who keeps that does not keep the text. */
export const facetsOf = (text: string): Facets => {
  const match = HEAD.exec(text)
  const [, id = '', type = '', toolName = ''] = match ?? []
  // Behind the head it may be part of the params, and a name may have anything in it.
  const isPlain = match !== null && !id.includes('\\') && (toolName !== '' || !text.includes('"tool_name"'))
  if (isPlain) return { id: ` ${id}`.slice(1), type, toolName }
  const record = JSON.parse(text) as { readonly [name in 'id' | 'type' | 'tool_name']: unknown }
  return { id: textOr(record.id), type: textOr(record.type), toolName: textOr(record.tool_name) }
}

const textOr = (value: unknown): string => (typeof value === 'string' ? value : '')

const HEAD =
  /^\{"id":"([^"\\]*(?:\\.[^"\\]*)*)"(?:,"graph_id":"[^"]*")?,"type":"([^"\\]*)"(?:,"tool_name":"([^"\\]*)")?/

/** Without parsing all of it, where it begins as our texts do. */
const headOf = (text: string): { readonly id: string; readonly type: unknown } => {
  const match = HEAD.exec(text)
  if (match === null) return JSON.parse(text) as { id: string; type: unknown }
  const id = match[1]!
  return { id: id.includes('\\') ? (JSON.parse(`"${id}"`) as string) : id, type: match[2] }
}
