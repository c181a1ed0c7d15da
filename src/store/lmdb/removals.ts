/**
 * Records that go. A finished task is struck from its batch's head; a batch goes with its last task. A task that is in
 * an accept record which others still need is noted as gone, with how it had ended, so that it is not found unfinished at
 * the next start, and those that depend on it are told what they were told before.
 */
import { type Tables, part } from './database.ts'
import { graphWith, removeGraphs } from './graph-records.ts'
import { Heads } from './heads.ts'
import type { Memory } from './memory.ts'
import { UNFINISHED } from './task-index.ts'
import type { Texts } from './texts.ts'

/**
 * Notes how a task had ended whose record goes, within a transaction. What was noted first stands, for it is what those
 * were told that waited; that it had not ended gives way to its end.
 */
const noteGone = (tables: Tables, memory: Memory, accept: number, key: number, code: number): void => {
  const noted = tables.gone.get([accept, key])
  if (noted === undefined || noted === UNFINISHED) part(tables.gone.put([accept, key], code))
  memory.withGone.add(accept)
}

export class Removals {
  readonly #tables: Tables
  readonly #heads = new Map<number, Heads>()
  readonly #keys = new Set<number>()
  readonly #gone: { readonly accept: number; readonly key: number; readonly code: number }[] = []
  readonly #graphs: number[] = []

  constructor(tables: Tables) {
    this.#tables = tables
  }

  has(key: number): boolean {
    return this.#keys.has(key)
  }

  /** Plans the removal of the record with this key. */
  remove(key: number, memory: Memory): void {
    const code = memory.index.code(key)
    if (code === 0 || this.#keys.has(key)) return
    this.#keys.add(key)
    for (const accept of memory.concerned(key)) this.#gone.push({ accept, key, code })
    const place = code === UNFINISHED ? null : memory.index.place(key)
    if (place === null) return
    let heads = this.#heads.get(place.batch)
    if (heads === undefined) {
      const written = this.#tables.heads.getBinary(place.batch)
      // An earlier try was written after all, though its sync failed.
      if (written === undefined) return
      heads = Heads.from(written)
      this.#heads.set(place.batch, heads)
    }
    const at = heads.placeOf(key)
    if (at >= 0) heads.remove(at)
  }

  /** Plans the removal of a finished graph: its record, and those of its tasks that are still there. */
  removeGraph(graphKey: number, memory: Memory): void {
    const graph = graphWith(this.#tables, graphKey)
    if (graph === null) return
    this.#graphs.push(graphKey)
    for (let key = graphKey; key < graphKey + graph.size; key++) {
      if (memory.index.code(key) !== UNFINISHED) this.remove(key, memory)
    }
  }

  /** Writes the plan, within a transaction. */
  put(memory: Memory, texts: Texts): void {
    const tables = this.#tables
    for (const [batch, heads] of this.#heads) {
      if (heads.live > 0) part(tables.heads.put(batch, heads.bytes))
      else {
        part(tables.heads.remove(batch))
        part(tables.batches.remove(batch))
        texts.leave(batch)
      }
    }
    for (const { accept, key, code } of this.#gone) noteGone(tables, memory, accept, key, code)
    removeGraphs(tables, this.#graphs)
  }

  onCommitted(memory: Memory, texts: Texts): void {
    for (const key of this.#keys) {
      if (memory.index.code(key) === UNFINISHED) {
        memory.leave(key)
        memory.index.drop(key)
      }
      memory.index.remove(key)
    }
    for (const [batch, heads] of this.#heads) if (heads.live === 0) texts.forget(batch)
  }
}
