/** A page of the task index: columns by key, and a search through them. */
import type { Task } from '../../domain/task.ts'
import { BLOCK_KEYS, IdRanges } from './facets.ts'

export const PAGE_KEYS = 8192

export class Page {
  readonly number: number
  readonly batch = new Float64Array(PAGE_KEYS)
  readonly accept = new Float64Array(PAGE_KEYS)
  readonly offset = new Uint32Array(PAGE_KEYS)
  readonly length = new Uint32Array(PAGE_KEYS)
  readonly hash = new Uint32Array(PAGE_KEYS)
  readonly code = new Uint8Array(PAGE_KEYS)
  /** By the index's `Kinds`; stays when the task goes. */
  readonly kind = new Uint8Array(PAGE_KEYS)
  /** Counts as unknown the tasks with a code and no kind. */
  readonly ids = new IdRanges(PAGE_KEYS)
  /** Keys with a code. */
  used = 0
  /** The tasks that nobody was told to be over; `null` where there were none for a while. */
  tasks: (Task | null)[] | null = null
  underWay = 0

  constructor(number: number) {
    this.number = number
  }
}

/** Which tasks are searched for. What the index does not know of a task counts as right. */
export interface Wanted {
  /** By code, 1 where it is wanted; `null` for the tasks under way. */
  readonly codes: Uint8Array | null
  /** By kind, 1 where it is wanted. */
  readonly kinds: Uint8Array
  /** `''` for any id. */
  readonly prefix: string
}

/** The nearest place in a page from `from` on, or from there back; -1 for none. */
export const findIn = (page: Page, from: number, step: 1 | -1, wanted: Wanted): number => {
  const { prefix } = wanted
  if (wanted.codes === null && (page.tasks === null || page.underWay === 0)) return -1
  for (let at = from; at >= 0 && at < PAGE_KEYS; ) {
    const block = at - (at % BLOCK_KEYS)
    const end = step > 0 ? block + BLOCK_KEYS : block - 1
    const found = prefix === '' || page.ids.mayHold(at, prefix) ? findBefore(page, at, step, end, wanted) : -1
    if (found >= 0) return found
    at = end
  }
  return -1
}

const findBefore = (
  { code, kind, tasks }: Page,
  from: number,
  step: 1 | -1,
  end: number,
  { codes, kinds }: Wanted,
): number => {
  for (let at = from; at !== end; at += step)
    if ((codes === null ? tasks![at] !== null : codes[code[at]!] === 1) && kinds[kind[at]!] === 1) return at
  return -1
}
