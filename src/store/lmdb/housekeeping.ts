/**
 * What nobody waits for: clearing what a crash left, removing the oldest finished tasks where that is wanted, forgetting
 * old first answers and empty graphs, and having `state.json` written by a thread of its own.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database, Key, RangeOptions } from 'lmdb'
import type { Graph } from '../../domain/graph-record.ts'
import { FIRST_ANSWER_MS, type FirstAnswer } from '../store.ts'
import { part, type Tables } from './database.ts'
import { graphsIn, putGraphSync } from './graph-records.ts'
import type { GroupCommit } from './group-commit.ts'
import { CODES, Heads } from './heads.ts'
import type { Loaded } from './load.ts'
import type { Memory } from './memory.ts'
import type { Pending } from './pending.ts'
import { SnapshotWriter } from './snapshot-writer.ts'
import { encodeStarts } from './starts.ts'
import type { Change } from './write-group.ts'

/** What finished tasks may stay. 0 = all. */
export interface Retention {
  readonly maxAgeMs: number
  readonly maxTasks: number
}

export interface HousekeepingOptions {
  readonly dataDir: string
  readonly nowMs: () => number
  readonly stateJsonEveryMs: number
  readonly retention: Retention
  readonly onProblem: (error: unknown, what: string) => void
  readonly tables: Tables
  readonly pending: Pending
  readonly memory: Memory
  readonly commits: GroupCommit<Change>
}

const RETAIN_EVERY_MS = 1000
const SWEEP_EVERY_MS = 60 * 60 * 1000
/** Records removed in one commit. */
const REMOVE_AT_ONCE = 2000
/** Entries looked at in one turn of the event loop. */
const SWEEP_AT_ONCE = 1000
/** Entries with graphs, each of which may have dozens, and graphs removed in one commit. */
const GRAPHS_AT_ONCE = 100

export class Housekeeping {
  readonly #options: HousekeepingOptions
  readonly #snapshots: SnapshotWriter
  readonly #timers: NodeJS.Timeout[] = []
  #retaining: Promise<void> | null = null
  #sweeping: Promise<void> | null = null

  constructor(options: HousekeepingOptions) {
    this.#options = options
    this.#snapshots = new SnapshotWriter(options)
  }

  start(loaded: Loaded): void {
    this.#clearGarbage(loaded)
    const { retention } = this.#options
    if (retention.maxAgeMs > 0 || retention.maxTasks > 0) {
      this.#every(RETAIN_EVERY_MS, () => {
        this.#retaining ??= this.#retain()
          .catch((error: unknown) => this.#options.onProblem(error, 'old tasks could not be removed'))
          .finally(() => {
            this.#retaining = null
          })
      })
    }
    this.#every(SWEEP_EVERY_MS, () => {
      this.#sweeping ??= this.#sweep()
        .catch((error: unknown) => this.#options.onProblem(error, 'old answers could not be removed'))
        .finally(() => {
          this.#sweeping = null
        })
    })
    this.#snapshots.start()
  }

  /** Writes `state.json` a last time. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#retaining
    await this.#sweeping
    await this.#snapshots.stop()
  }

  noteChange(): void {
    this.#snapshots.noteChange()
  }

  #every(ms: number, run: () => void): void {
    const timer = setInterval(run, ms)
    timer.unref()
    this.#timers.push(timer)
  }

  /** Records that nothing needs; the attempts in them go into one record that replaces them. */
  #clearGarbage(loaded: Loaded): void {
    const { tables, memory } = this.#options
    const { accepts, starts, batches } = loaded.garbage
    const { begun } = loaded
    const lines = accepts.length + starts.length + batches.length + loaded.overGraphs.length
    if (lines + begun.length === 0) return
    tables.root.transactionSync(() => {
      for (const graph of loaded.overGraphs) putGraphSync(tables, graph)
      for (const number of accepts) {
        tables.accepts.removeSync(number)
        for (const gone of tables.gone.getKeys({ start: [number, 0], end: [number + 1, 0] }))
          tables.gone.removeSync(gone)
      }
      for (const number of batches) {
        tables.batches.removeSync(number)
        tables.heads.removeSync(number)
      }
      for (const number of starts) tables.starts.removeSync(number)
      if (begun.length > 0) tables.starts.putSync(loaded.lastStart, encodeStarts(begun))
    })
    if (begun.length === 0) return
    memory.starts.set(loaded.lastStart, begun.length)
    for (const task of begun) memory.startOf.set(task.key, loaded.lastStart)
  }

  async #retain(): Promise<void> {
    for (;;) {
      const keys = this.#tooOld()
      if (keys.length === 0) return
      await this.#options.commits.add({ removedKeys: keys }, false)
    }
  }

  /** The oldest finished tasks that may not stay, some of them. */
  #tooOld(): number[] {
    const { tables, memory, retention, nowMs } = this.#options
    const keys: number[] = []
    let tooMany = retention.maxTasks > 0 ? memory.index.finished - retention.maxTasks : 0
    const cutoffMs = retention.maxAgeMs > 0 ? nowMs() - retention.maxAgeMs : 0
    for (const { value } of tables.heads.getRange({})) {
      const heads = Heads.from(value)
      for (let at = 0; at < heads.count; at++) {
        if (heads.code(at) === CODES.removed) continue
        if (keys.length >= REMOVE_AT_ONCE || (tooMany <= 0 && heads.finishedMs(at) >= cutoffMs)) return keys
        keys.push(heads.key(at))
        tooMany--
      }
    }
    return keys
  }

  /** First answers that are too old to be given again, and graphs without a task left. */
  async #sweep(): Promise<void> {
    const { tables, pending, memory, nowMs } = this.#options
    await pending.drain()
    const cutoffMs = nowMs() - FIRST_ANSWER_MS
    await this.#each(tables.answers, SWEEP_AT_ONCE, (key, value) => {
      if ((value as FirstAnswer).atMs <= cutoffMs) part(tables.answers.remove(key))
    })
    const isEmpty = ({ key, size }: Graph): boolean => {
      for (let task = key; task < key + size; task++) if (memory.index.code(task) !== 0) return false
      return true
    }
    const empty: number[] = []
    await this.#each(tables.graphs, GRAPHS_AT_ONCE, (first, value) => {
      for (const graph of graphsIn(first, value)) if (isEmpty(graph)) empty.push(graph.key)
    })
    // Not here: a graph beside them in an entry may be retried at the same time.
    for (let at = 0; at < empty.length; at += GRAPHS_AT_ONCE)
      await this.#options.commits.add({ removedGraphs: empty.slice(at, at + GRAPHS_AT_ONCE) }, false)
  }

  /** Looks at every entry of a table, others having their turns in between. */
  async #each<K extends Key>(
    table: Database<unknown, K>,
    atOnce: number,
    look: (key: K, value: unknown) => void,
  ): Promise<void> {
    let last: K | null = null
    let count = 0
    do {
      await nextTurn()
      count = 0
      const range: RangeOptions = {
        limit: atOnce,
        ...(last === null ? {} : { start: last, exclusiveStart: true }),
      }
      for (const { key, value } of table.getRange(range)) {
        look(key, value)
        last = key
        count++
      }
    } while (count === atOnce)
  }
}
