/** What became of a graph: a table of its tasks, and a line for all of them. */
import type { Task } from '../../client/index.ts'
import type { Output, Paint } from '../output.ts'
import { durationText, isBad, stateOf, styleOf } from '../show.ts'
import { type Column, tableOf } from '../table.ts'
import { briefly } from './task-output.ts'
import type { Ends } from './tracker.ts'

/** As little of a task as the table needs: there may be many. */
interface Row {
  readonly id: string
  readonly state: string
  readonly took: string
  readonly attempts: string
  readonly text: string
  readonly isBad: boolean
}

const COLUMNS: readonly Column<Row>[] = [
  { name: 'TASK', text: ({ id }) => id, least: 12 },
  { name: 'STATUS', text: ({ state }) => state, style: ({ state }) => styleOf(state) },
  { name: 'TOOK', text: ({ took }) => took, isRight: true },
  { name: 'ATTEMPTS', text: ({ attempts }) => attempts, isRight: true },
  { name: '', text: ({ text }) => text, style: ({ isBad }) => (isBad ? null : 'dim'), least: 6 },
]

/** A table of more would scroll away what matters. */
const MOST_ROWS = 30
/** Of a result that a table without a width shows. */
const MOST_TEXT = 100

export interface Summary {
  /** All of a few tasks; of many those that went wrong. */
  readonly table: string
  /** Whether a task failed that had no leave to, or was skipped because of one. */
  readonly isBad: boolean
  /** Tasks that failed and had leave to. */
  readonly allowed: number
  /** Where a command was refused by its name. */
  readonly hasDenied: boolean
}

export const summaryOf = async (
  tasks: AsyncIterable<Task>,
  { width, paint }: Pick<Output, 'width' | 'paint'>,
): Promise<Summary> => {
  let count = 0
  let badCount = 0
  let allowed = 0
  let hasDenied = false
  const first: Row[] = []
  const bad: Row[] = []
  for await (const task of tasks) {
    count++
    const row = rowOf(task)
    hasDenied ||= task.error?.endsWith('is not in the allowed whitelist') === true
    if (row.state === 'failed' && !row.isBad) allowed++
    if (first.length < MOST_ROWS) first.push(row)
    if (!row.isBad) continue
    badCount++
    if (bad.length < MOST_ROWS) bad.push(row)
  }
  const rows = count <= MOST_ROWS ? first : bad
  const more =
    count > MOST_ROWS && badCount > bad.length ? `… and ${badCount - bad.length} more like these\n` : ''
  const table = rows.length === 0 ? '' : tableOf(COLUMNS, rows, width, paint) + more
  return { table, isBad: badCount > 0, allowed, hasDenied }
}

const rowOf = (task: Task): Row => ({
  id: task.id,
  state: stateOf(task),
  took: task.runtime?.attempt ? durationText(task.runtime.duration_ms ?? 0) : '',
  attempts: String(task.runtime?.attempt || ''),
  text: briefly(task).slice(0, MOST_TEXT),
  isBad: isBad(task),
})

/** `✓ 12 tasks in 3.4s`, `✗ 2 failed (1 allowed), 2 skipped, 8 succeeded in 3.4s`. */
export const verdict = (
  ends: Ends,
  { isBad, allowed }: Pick<Summary, 'isBad' | 'allowed'>,
  tookMs: number,
  paint: Paint,
): string => {
  const { success, failed, cancelled, skipped } = ends
  const total = success + failed + cancelled + skipped
  const counts = [
    [failed, allowed === 0 ? 'failed' : `failed (${allowed} allowed)`],
    [cancelled, 'cancelled'],
    [skipped, 'skipped'],
    [success, 'succeeded'],
  ] as const
  const told =
    success === total
      ? `${total} ${total === 1 ? 'task' : 'tasks'}`
      : counts.flatMap(([count, name]) => (count > 0 ? [`${count} ${name}`] : [])).join(', ')
  const mark = isBad ? paint('red', '✗') : paint('green', '✓')
  return `${mark} ${told} in ${durationText(tookMs)}`
}
