/** The texts of finished tasks, read back. */
import type { Tables } from './database.ts'
import type { Place } from './task-index.ts'

/** Batches kept in memory, of 32 KiB or a little more each: lists and polls ask for neighbours. */
const CACHED_BATCHES = 32

/** One with a large output in it is not kept. */
const LARGEST_CACHED_BYTES = 256 * 1024

export class Texts {
  readonly #tables: Tables
  readonly #cache = new Map<number, Buffer>()

  constructor(tables: Tables) {
    this.#tables = tables
  }

  /** The text at a place. */
  read({ batch, offset, length }: Place): string {
    return this.#batch(batch).toString('utf8', offset, offset + length)
  }

  /** Forgets a batch that was removed: its number is not given again. */
  forget(batch: number): void {
    this.#cache.delete(batch)
  }

  #batch(number: number): Buffer {
    const cached = this.#cache.get(number)
    if (cached !== undefined) return cached
    const payload = this.#tables.batches.getBinary(number)
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

/** Whether a task's text is that of this id. */
export const isTextOf = (text: string, id: string): boolean => text.startsWith(`{"id":${JSON.stringify(id)},`)
