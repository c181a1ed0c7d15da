/** The texts of finished tasks, read back. */
import { headIn, textIn } from './batches.ts'
import type { Tables } from './database.ts'
import type { Pending } from './pending.ts'
import type { Place } from './task-index.ts'

/** Batches kept in memory, of 32 KiB or a little more each: lists and polls ask for neighbours. */
const CACHED_BATCHES = 32

/** One with a large output in it is not kept. */
const LARGEST_CACHED_BYTES = 256 * 1024

export class Texts {
  readonly #tables: Tables
  readonly #pending: Pending
  readonly #cache = new Map<number, Buffer>()
  /** Batches that are being removed: gone from the database a moment before the index is told. */
  readonly #leaving = new Set<number>()

  constructor(tables: Tables, pending: Pending) {
    this.#tables = tables
    this.#pending = pending
  }

  /** The text at a place; `null` where it has just been removed. */
  read({ batch, offset, length }: Place): string | null {
    const payload = this.#batch(batch)
    return payload === null ? null : textIn(payload, offset, length)
  }

  /** Whether the text at a place is that of this id; no more of it is read than that takes. */
  isOf({ batch, offset, length }: Place, id: string): boolean {
    const payload = this.#batch(batch)
    if (payload === null) return false
    const headBytes = Buffer.byteLength(`{"id":${JSON.stringify(id)},`)
    return isTextOf(headIn(payload, offset, length, headBytes), id)
  }

  /** Notes a batch that the write under way removes; one that fails may have done it all the same. */
  leave(batch: number): void {
    this.#leaving.add(batch)
  }

  /** Forgets a batch that was removed: its number is not given again. */
  forget(batch: number): void {
    this.#leaving.delete(batch)
    this.#cache.delete(batch)
  }

  #batch(number: number): Buffer | null {
    const cached = this.#cache.get(number)
    if (cached !== undefined) return cached
    // Its memory is used again once the database has it: it is not kept here.
    const added = this.#pending.get('batches', number)
    if (added !== undefined) return added
    const payload = this.#tables.batches.getBinary(number)
    if (payload === undefined && this.#leaving.has(number)) return null
    if (payload === undefined) throw new Error(`the database is damaged: batch ${number} is missing`)
    if (payload.length > LARGEST_CACHED_BYTES) return payload
    if (this.#cache.size >= CACHED_BATCHES) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest)
        break
      }
    }
    this.#cache.set(number, payload)
    return payload
  }
}

const TEXT_START = '{"id":"'

/** Whether a task's text is that of this id. */
export const isTextOf = (text: string | null, id: string): boolean => {
  if (text === null) return false
  // Most ids are in JSON what they are. A control character is not, nor half a surrogate pair: no text has them as such.
  const isPlain = !id.includes('\\') && !id.includes('"')
  if (
    isPlain &&
    text.startsWith(id, TEXT_START.length) &&
    text.startsWith('",', TEXT_START.length + id.length)
  )
    return text.startsWith(TEXT_START)
  return text.startsWith(`{"id":${JSON.stringify(id)},`)
}
