/**
 * Entries that are in the journal and not in the tables yet. They are put there some milliseconds later, many groups in
 * one transaction; what is put and removed in between never gets there. Until then they are read from here.
 *
 * ```
 * add ─► filling ─► (after a moment, or when it is large) ─► applying ─► committed: in the tables ─► synced: release
 * ```
 */
import { part, type Tables, transact } from './database.ts'
import { type Entry, goneKey, putEntry, type TableName } from './entries.ts'
import type { Journal } from './journal.ts'
import { bounded } from './problems.ts'
import type { GroupRecord, RecordBuffer } from './record-buffer.ts'
import { ensureRoom } from './room.ts'

/** Entries wait this long for others. */
const HOLD_MS = 50
/** From this size on they do not wait. */
const LARGE_BYTES = 2 * 1024 * 1024
/** A transaction that failed is tried again after this long. */
const AGAIN_AFTER_MS = 1000

type Rows = Map<number | string, Entry>

/** What goes into one transaction. */
class Layer {
  readonly rows = new Map<TableName, Rows>()
  bytes = 0
  /** The number of the last record in it, 0 where it is empty. */
  last = 0

  add(entry: Entry): void {
    let rows = this.rows.get(entry.table)
    if (rows === undefined) {
      rows = new Map()
      this.rows.set(entry.table, rows)
    }
    // What was put in this layer is in no table: it need not be removed from one. No key is put twice and then removed.
    if (entry.value === null && rows.delete(entry.key)) return
    if (entry.table === 'gone' && entry.value === null) {
      const prefix = goneKey(entry.key as number, 0).slice(0, -1)
      for (const key of rows.keys()) if (String(key).startsWith(prefix)) rows.delete(key)
    }
    rows.set(entry.key, entry)
  }

  get(table: TableName, key: number | string): Entry | undefined {
    return this.rows.get(table)?.get(key)
  }
}

export interface PendingOptions {
  readonly dataDir: string
  readonly tables: Tables
  readonly journal: Journal
  readonly records: RecordBuffer
  /** Told when the tables have something new. */
  readonly onApplied: () => void
  /** Told of the first of some transactions that failed. */
  readonly onProblem: (error: unknown, what: string) => void
}

export class Pending {
  readonly #options: PendingOptions
  #filling = new Layer()
  #applying: Layer | null = null
  #timer: NodeJS.Timeout | null = null
  /** The transaction under way. */
  #written: Promise<void> = Promise.resolve()
  /** Tries again what failed; `null` where nothing did, or a try is under way. */
  #retry: (() => void) | null = null
  /** Why the last transaction failed, `null` where it did not: nothing should be added then. */
  problem: unknown = null

  constructor(options: PendingOptions) {
    this.#options = options
  }

  /** Takes over a record that was appended to the journal just now. */
  add({ bytes, entries }: GroupRecord): void {
    const layer = this.#filling
    for (const entry of entries) layer.add(entry)
    layer.bytes += bytes.length
    layer.last = this.#options.journal.last
    if (layer.bytes >= LARGE_BYTES) this.#apply()
    else this.#applySoon()
  }

  /** What waits for a transaction that takes its time. */
  get waitingBytes(): number {
    return this.#filling.bytes
  }

  /** The value that will be in the table; `null` where it will be removed, `undefined` where nothing changes. */
  get(table: TableName, key: number | string): Buffer | null | undefined {
    const entry = this.#filling.get(table, key) ?? this.#applying?.get(table, key)
    return entry?.value
  }

  /** All that will be in a table with numbers for keys and is not removed again. */
  *added(table: TableName): Iterable<readonly [number, Buffer]> {
    for (const layer of [this.#applying, this.#filling])
      for (const { key, value } of layer?.rows.get(table)?.values() ?? [])
        if (value !== null) yield [key as number, value]
  }

  /** Tries the transaction that failed again, now. @throws where it fails once more */
  async retry(): Promise<void> {
    this.#retry?.()
    await this.#written
    if (this.problem !== null) throw this.problem
  }

  /** Resolves when the tables have all that was added. @throws where they cannot be written */
  async drain(): Promise<void> {
    if (this.problem !== null) await this.retry()
    while (this.#applying !== null || this.#filling.last > 0) {
      if (this.#applying === null) this.#apply()
      await this.#written
      if (this.problem !== null) throw this.problem
    }
  }

  /** As {@link drain}, and synced. */
  async checkpoint(): Promise<void> {
    await this.drain()
    await bounded(this.#options.tables.root.flushed)
  }

  /** Nothing is tried again. What is not in the tables is in the journal. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #applySoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#apply()
    }, HOLD_MS)
  }

  #apply(): void {
    if (this.#applying !== null || this.#filling.last === 0) return
    this.stop()
    const { records } = this.#options
    const layer = this.#filling
    this.#filling = new Layer()
    this.#applying = layer
    const chunks = records.detach()
    this.#written = this.#write(layer, chunks)
  }

  #again(layer: Layer, chunks: readonly Buffer[]): void {
    this.stop()
    this.#retry = null
    this.#written = this.#write(layer, chunks)
  }

  async #write(layer: Layer, chunks: readonly Buffer[]): Promise<void> {
    const { dataDir, tables, journal, records, onApplied, onProblem } = this.#options
    try {
      ensureRoom(dataDir, layer.bytes)
      const { committed, flushed } = transact(tables, () => {
        for (const rows of layer.rows.values()) for (const entry of rows.values()) putEntry(tables, entry)
        part(tables.meta.put('applied', layer.last))
      })
      flushed.then(() => journal.release(layer.last), ignore)
      await committed
    } catch (error) {
      if (this.problem === null)
        onProblem(error, 'the database could not be written (the journal has everything)')
      this.problem = error
      this.stop()
      this.#timer = setTimeout(() => this.#again(layer, chunks), AGAIN_AFTER_MS)
      this.#retry = () => this.#again(layer, chunks)
      return
    }
    this.problem = null
    this.#retry = null
    this.#applying = null
    records.recycle(chunks)
    onApplied()
    if (this.#filling.bytes >= LARGE_BYTES) this.#apply()
    else if (this.#filling.last > 0) this.#applySoon()
  }
}

const ignore = (): void => {}
