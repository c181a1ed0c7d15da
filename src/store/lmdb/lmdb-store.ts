/**
 * Tasks on disk, in LMDB: the default store.
 *
 * ```
 * accepted ─► one `accepts` record a sync ─► task in memory (live) ─► over ─► one `batches` record a sync
 *                     │ removed when the last of its tasks is over               │
 *                     ▼                                                          ▼
 *              read at a start only                            found by the index (task-index.ts): 50 bytes a task
 * ```
 *
 * The write path costs a record or two a sync, never one a task. What a task came to is written once, as the text that
 * GET answers, and stays where it is.
 * @see docs/adr/0002-store.md
 */
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { type Graph, newGraph } from '../../domain/graph-record.ts'
import { liveTaskJson } from '../../domain/task-json.ts'
import { type Task, keyOfHandle } from '../../domain/task.ts'
import { prepareDataDir } from '../data-dir.ts'
import type {
  Commit,
  Durability,
  FinishedTask,
  FirstAnswer,
  Found,
  Recovered,
  SettledStatus,
  Store,
} from '../store.ts'
import { type Tables, checkTables, openTables } from './database.ts'
import { GroupCommit } from './group-commit.ts'
import { checkFile } from './file-check.ts'
import { CODES } from './heads.ts'
import { Headroom } from './headroom.ts'
import { Housekeeping, type Retention } from './housekeeping.ts'
import { load } from './load.ts'
import { type DataDirLock, lockDataDir } from './lock.ts'
import { Memory } from './memory.ts'
import { takeOver } from './take-over.ts'
import { hashOf } from './task-index.ts'
import { Texts, isTextOf } from './texts.ts'
import { type Change, Writer } from './writer.ts'
import { explain } from './problems.ts'

const FILE = 'execgo.lmdb'

/** An idempotency key is good for this long. */
const ANSWER_MS = 24 * 60 * 60 * 1000

export interface LmdbStoreOptions {
  readonly dataDir: string
  readonly nowMs: () => number
  /** Milliseconds between two writings of state.json, made only when something changed; 0 = none. */
  readonly stateJsonEveryMs: number
  readonly retention: Retention
  /** Told of housekeeping that failed; it is tried again. */
  readonly onProblem: (error: unknown, what: string) => void
}

interface Open {
  readonly tables: Tables
  readonly lock: DataDirLock
  readonly memory: Memory
  readonly texts: Texts
  readonly writer: Writer
  readonly commits: GroupCommit<Change>
  readonly housekeeping: Housekeeping
}

export class LmdbStore implements Store {
  readonly #options: LmdbStoreOptions
  #open: Open | null = null
  #stopping: Promise<void> | null = null
  readonly #takenBack = new WeakMap<Task, Task | undefined>()

  constructor(options: LmdbStoreOptions) {
    this.#options = options
  }

  async start(): Promise<Found> {
    const { dataDir, nowMs } = this.#options
    await prepareDataDir(dataDir)
    const lock = await lockDataDir(dataDir)
    try {
      const path = join(dataDir, FILE)
      let headroom: Headroom | null = null
      const tables = explain(path, () => {
        checkFile(path)
        const opened = openTables(path)
        headroom = new Headroom(path, opened.root)
        checkTables(opened)
        return opened
      })
      await takeOver(tables, dataDir, path, nowMs())
      headroom!.extend()
      return explain(path, () => this.#load(tables, lock, headroom!))
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#close()
    await this.#stopping
  }

  async commit(commit: Commit, durability: Durability): Promise<void> {
    const { commits, housekeeping } = this.#opened
    const takeBack = this.#announce(commit.accepted?.tasks ?? [])
    try {
      const isRelaxed = durability === 'relaxed'
      const isEarly = isRelaxed && commit.accepted !== undefined && commit.accepted.firstAnswer === undefined
      await commits.add(commit, isRelaxed, isEarly)
    } catch (error) {
      takeBack()
      throw await storeProblem(error, this.#options.dataDir)
    }
    housekeeping.noteChange()
  }

  /** New tasks are found by their ids from now on: one that comes next finds what it replaces. */
  #announce(tasks: readonly Task[]): () => void {
    const { live, byKey } = this.#opened.memory
    const before = new Map<string, Task>()
    for (const task of tasks) {
      const replaced = live.get(task.id)
      if (replaced !== undefined) before.set(task.id, replaced)
      live.set(task.id, task)
    }
    return () => {
      for (const task of tasks) {
        let replaced = before.get(task.id)
        this.#takenBack.set(task, replaced)
        if (live.get(task.id) !== task) continue
        // What it replaced may have been taken back itself, a moment ago.
        while (replaced !== undefined && this.#takenBack.has(replaced))
          replaced = this.#takenBack.get(replaced)
        if (replaced === undefined || byKey.get(replaced.key) !== replaced) live.delete(task.id)
        else live.set(task.id, replaced)
      }
    }
  }

  unfinished(id: string): Task | null {
    return this.#opened.memory.live.get(id) ?? null
  }

  *unfinishedOf(graph: Graph): Iterable<Task> {
    const { byKey } = this.#opened.memory
    if (byKey.size < graph.size) {
      for (const task of byKey.values()) if (task.graph.key === graph.key) yield task
      return
    }
    for (let key = graph.key; key < graph.key + graph.size; key++) {
      const task = byKey.get(key)
      if (task !== undefined) yield task
    }
  }

  async get(id: string): Promise<string | null> {
    const { memory, texts } = this.#opened
    const task = memory.live.get(id)
    if (task !== undefined) return liveTaskJson(task)
    const hash = hashOf(id)
    if (!memory.index.has(hash)) return null
    for (const key of memory.index.candidates(hash)) {
      const place = memory.index.place(key)
      if (place === null) continue
      const text = texts.read(place)
      if (isTextOf(text, id)) return text
    }
    return null
  }

  async getByHandle(handleId: string): Promise<string | null> {
    const { tables } = this.#opened
    const key = tables.handles.get(handleId) ?? keyOfHandle(handleId)
    const text = key < 0 ? null : this.#textOf(key)
    return text?.includes(`"handle_id":"${handleId}"`) === true ? text : null
  }

  async has(id: string): Promise<boolean> {
    return (await this.get(id)) !== null
  }

  async *list(): AsyncIterable<string> {
    for (const key of this.#opened.memory.index.keys()) {
      const text = this.#textOf(key)
      if (text !== null) yield text
    }
  }

  async graph(key: number): Promise<Graph | null> {
    const { memory, tables } = this.#opened
    return memory.graphs.get(key) ?? graphOf(key, tables.graphs.get(key))
  }

  async graphs(beforeKey: number, limit: number): Promise<readonly Graph[]> {
    const { memory, tables } = this.#opened
    const found: Graph[] = []
    for (const graph of memory.graphs.values()) if (graph.key < beforeKey) found.push(graph)
    const range = { start: beforeKey - 1, end: 0, reverse: true, limit }
    for (const { key, value } of tables.graphs.getRange(range)) {
      const graph = memory.graphs.has(key) ? null : graphOf(key, value)
      if (graph !== null) found.push(graph)
    }
    return found.sort((a, b) => b.key - a.key).slice(0, limit)
  }

  async *finishedOf(graph: Graph): AsyncIterable<FinishedTask> {
    const { memory, texts } = this.#opened
    for (let key = graph.key; key < graph.key + graph.size; key++) {
      const place = memory.byKey.has(key) ? null : memory.index.place(key)
      const json = place === null ? null : texts.read(place)
      if (json !== null) yield { key, json }
    }
  }

  async firstAnswer(key: string): Promise<FirstAnswer | null> {
    const answer = this.#opened.tables.answers.get(key) as FirstAnswer | undefined
    return answer === undefined || answer.atMs + ANSWER_MS < this.#options.nowMs() ? null : answer
  }

  get #opened(): Open {
    if (this.#open === null) throw new Error('the store is not open')
    return this.#open
  }

  #textOf(key: number): string | null {
    const { memory, texts } = this.#opened
    const task = memory.byKey.get(key)
    if (task !== undefined) return memory.live.get(task.id) === task ? liveTaskJson(task) : null
    const place = memory.index.place(key)
    return place === null ? null : texts.read(place)
  }

  #load(tables: Tables, lock: DataDirLock, headroom: Headroom): Found {
    const loaded = load(tables)
    const memory = new Memory(loaded.index, loaded.acceptsAlive)
    const texts = new Texts(tables)
    for (const task of loaded.unfinished) {
      memory.live.set(task.id, task)
      memory.byKey.set(task.key, task)
      if (!memory.graphs.has(task.graph.key)) memory.addGraph(task.graph)
    }
    const writer = new Writer(tables, memory, texts, headroom, loaded)
    const commits = new GroupCommit<Change>(writer)
    const housekeeping = new Housekeeping({ ...this.#options, tables, memory, commits, loaded })
    this.#open = { tables, lock, memory, texts, writer, commits, housekeeping }
    housekeeping.start()
    return {
      lastKey: loaded.lastKey,
      unfinished: loaded.unfinished.map((task) => this.#recovered(task)),
    }
  }

  #recovered(task: Task): Recovered {
    const { memory, writer } = this.#opened
    const settledDependencies = new Map<string, SettledStatus>()
    for (const id of task.dependsOn) {
      if (memory.live.has(id)) continue
      const key = writer.keyOf(id)
      settledDependencies.set(id, key < 0 ? endOfDeleted(task) : settledStatus(memory.index.code(key)))
    }
    return { task, settledDependencies }
  }

  async #close(): Promise<void> {
    const open = this.#open
    if (open === null) return
    await open.commits.end()
    await open.housekeeping.stop()
    await open.commits.idle()
    // After a failed write LMDB's own promises of a sync never resolve; all that was promised was waited for above.
    await Promise.race([open.tables.root.close(), later(null, CLOSE_WITHIN_MS)])
    await open.lock.release()
  }
}

const settledStatus = (code: number): SettledStatus => {
  switch (code) {
    case CODES.success:
      return 'success'
    case CODES.failed:
      return 'failed'
    case CODES.failedAllowed:
      return 'allowed'
    case CODES.skipped:
    case CODES.skippedBenign:
      return 'skipped'
    default:
      return 'deleted'
  }
}

/** A task that began once was released by all that it depends on, whatever became of their records since. */
const endOfDeleted = (task: Task): SettledStatus => (task.attempt > 0 ? 'success' : 'deleted')

const graphOf = (key: number, record: unknown): Graph | null => {
  if (record === undefined) return null
  const { createdMs, size, isRelaxed, counts, finishedMs } = record as Graph
  const graph = newGraph(key, size, createdMs, isRelaxed)
  Object.assign(graph.counts, counts)
  graph.unfinished = 0
  graph.finishedMs = finishedMs
  return graph
}

/** A failed write, as a person can read it: what the disk said. */
const storeProblem = async (error: unknown, dataDir: string): Promise<Error> => {
  const cause = (error as { commitError?: Promise<unknown> }).commitError
  // The reason may never be told: not waited for without end.
  const told =
    cause === undefined
      ? error
      : await Promise.race([
          cause.then(
            () => error,
            (reason: unknown) => reason,
          ),
          later(error),
        ])
  const reason = told instanceof Error ? told.message : String(told)
  // A disk that fills up within a write is told by LMDB as an input/output error.
  const free = await statfs(dataDir).then(
    (disk) => disk.bavail * disk.bsize,
    () => Number.POSITIVE_INFINITY,
  )
  const why = free < FULL_DISK_BYTES ? `no space left on the disk of ${dataDir} (${reason})` : reason
  return new Error(`the store cannot write: ${why}`, { cause: error })
}

/** With less than this free a failed write is put down to it. */
const FULL_DISK_BYTES = 1024 * 1024

const later = <T>(value: T, ms = 50): Promise<T> =>
  new Promise((resolve) => setTimeout(() => resolve(value), ms))

const CLOSE_WITHIN_MS = 2000
