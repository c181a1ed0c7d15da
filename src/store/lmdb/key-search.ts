/** The keys that a page of the list may hold, by the index alone. */
import type { Graph } from '../../domain/graph-record.ts'
import type { Status } from '../../domain/lifecycle.ts'
import type { TaskQuery } from '../store.ts'
import { statusOfCode } from './heads.ts'
import { type TaskIndex, UNFINISHED, WAITING } from './task-index.ts'

/**
 * Those of a graph, or of all; in the order of the page. What comes and goes meanwhile may be among them or not. -1 after
 * some thousand keys among which there was none more: others may have their turn.
 */
export function* keysFor(
  index: TaskIndex,
  { status, type, tool, prefix, isNewestFirst, afterKey }: TaskQuery,
  graph: Graph | null,
): Iterable<number> {
  const first = graph?.key ?? 0
  const last = graph === null ? Number.MAX_SAFE_INTEGER : graph.key + graph.size - 1
  const step = isNewestFirst ? -1 : 1
  const after = afterKey ?? (isNewestFirst ? last + 1 : first - 1)
  const wanted = { codes: codesOf(status), kinds: index.kinds.asked(type, tool), prefix }
  let key = isNewestFirst ? Math.min(after - 1, last) : Math.max(after + 1, first)
  while (key >= first && key <= last) {
    const found = index.find(key, step, wanted)
    if (found > last || (found >= 0 && found < first)) return
    yield found
    key = found < 0 ? index.nextPage(key, step) : found + step
  }
}

const CODE_COUNT = Math.max(UNFINISHED, WAITING) + 1

/** A task that shows `pending` or `running` is held as such, whatever is written of it already. */
const codesOf = (status: Status | null): Uint8Array | null =>
  status === 'pending' || status === 'running'
    ? null
    : Uint8Array.from({ length: CODE_COUNT }, (_, code) =>
        (status === null ? code !== 0 : statusOfCode(code) === status) ? 1 : 0,
      )
