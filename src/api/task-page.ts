/** A page of the list of tasks, as a client asks for it. @see contract B4 */
import { type Result, ok, refused } from '../domain/errors.ts'
import { keyOfGraphId } from '../domain/graph-record.ts'
import type { Status } from '../domain/lifecycle.ts'
import { acceptedAs, isKnownType } from '../domain/normalize.ts'
import { quote } from '../domain/quote.ts'
import { CATEGORIES, type Category } from '../domain/task.ts'
import type { StoreReader, TaskQuery } from '../store/store.ts'
import { wholeNumber } from './grace.ts'

/** As it came; `''` or undefined for what is not asked. */
export interface AskedPage {
  readonly status?: string | undefined
  /** A category, or the name of a tool that tasks are submitted by. */
  readonly type?: string | undefined
  readonly tool?: string | undefined
  readonly graph_id?: string | undefined
  readonly prefix?: string | undefined
  readonly order?: string | undefined
  readonly limit?: string | undefined
  readonly cursor?: string | undefined
}

export const PAGE_PARAMETERS = [
  'status',
  'type',
  'tool',
  'graph_id',
  'prefix',
  'order',
  'limit',
  'cursor',
] as const satisfies readonly (keyof AskedPage)[]

export interface ListPage {
  /** JSON texts. */
  readonly tasks: readonly string[]
  /** `''` where nothing follows. */
  readonly nextCursor: string
}

/** What the wire calls the two that have another name in gRPC. */
interface Names {
  readonly limit: string
  readonly cursor: string
}

const HTTP_NAMES: Names = { limit: 'limit', cursor: 'cursor' }

const DEFAULT_PAGE = 100
const LARGEST_PAGE = 1000

const STATUSES: readonly Status[] = ['pending', 'running', 'success', 'failed', 'skipped']
const ORDERS = ['created', '-created'] as const

export const pageFor = async (
  reader: StoreReader,
  asked: AskedPage,
  names = HTTP_NAMES,
): Promise<Result<ListPage>> => {
  const query = queryIn(asked, names)
  if (!query.ok) return query
  const { tasks, nextAfter } = await reader.page(query.value)
  return ok({ tasks, nextCursor: nextAfter === null ? '' : cursorOf(query.value.isNewestFirst, nextAfter) })
}

/** Refuses what is none by its name, the value, and what is allowed. */
const queryIn = (asked: AskedPage, names: Names): Result<TaskQuery> => {
  const { status = '', prefix = '', order = '' } = asked
  if (status !== '' && !isOneOf(STATUSES, status))
    return wrong('status', `one of ${STATUSES.join(', ')}`, status)
  const work = workIn(asked)
  if (!work.ok) return work
  const graph = asked.graph_id ? keyOfGraphId(asked.graph_id) : null
  if (graph !== null && graph < 0) return wrong('graph_id', 'g- and a number', asked.graph_id!)
  if (order !== '' && !isOneOf(ORDERS, order)) return wrong('order', ORDERS.join(' or '), order)
  const limit = asked.limit ? wholeNumber(asked.limit) : DEFAULT_PAGE
  if (!(limit >= 1 && limit <= LARGEST_PAGE))
    return wrong(names.limit, `from 1 to ${LARGEST_PAGE}`, asked.limit!)
  const isNewestFirst = order === '-created'
  const afterKey = asked.cursor ? keyIn(asked.cursor, isNewestFirst) : null
  if (Number.isNaN(afterKey))
    return wrong(names.cursor, 'what the page before gave, in the same order', asked.cursor!)
  return ok({ status: status || null, ...work.value, graph, prefix, isNewestFirst, afterKey, limit })
}

/** `shell` is what it was accepted as: an `os` task of that tool. */
const workIn = ({ type = '', tool = '' }: AskedPage): Result<{ type: Category | null; tool: string }> => {
  if (type === '') return ok({ type: null, tool })
  if (!isKnownType(type)) return wrong('type', `one of ${CATEGORIES.join(', ')}, or a tool's name`, type)
  const as = acceptedAs(type)
  return as.toolName === '' || tool === '' || as.toolName === tool
    ? ok({ type: as.type, tool: tool || as.toolName })
    : wrong('tool', `${as.toolName} as the type is`, tool)
}

const isOneOf = <T extends string>(allowed: readonly T[], given: string): given is T =>
  (allowed as readonly string[]).includes(given)

const MAX_SHOWN_CHARS = 64

const wrong = (name: string, allowed: string, given: string): ReturnType<typeof refused> =>
  refused(
    'invalid',
    `${name} must be ${allowed} (got ${quote(given.length > MAX_SHOWN_CHARS ? `${given.slice(0, MAX_SHOWN_CHARS)}…` : given)})`,
  )

/** `a` oldest first, `d` newest first, and the key that the page ended with. */
const cursorOf = (isNewestFirst: boolean, key: number): string =>
  Buffer.from(`${isNewestFirst ? 'd' : 'a'}${key}`).toString('base64url')

/** The key in a cursor, NaN where it is none of ours or of the other order. */
const keyIn = (cursor: string, isNewestFirst: boolean): number => {
  if (cursor.length > MAX_SHOWN_CHARS) return Number.NaN
  const key = wholeNumber(Buffer.from(cursor, 'base64url').toString('latin1').slice(1))
  return cursorOf(isNewestFirst, key) === cursor ? key : Number.NaN
}
