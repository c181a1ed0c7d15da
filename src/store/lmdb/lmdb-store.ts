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
import { join } from 'node:path'
import type { Graph } from '../../domain/graph-record.ts'
import type { Status } from '../../domain/lifecycle.ts'
import type { Task } from '../../domain/task.ts'
import { prepareDataDir } from '../data-dir.ts'
import type { TaskEvent } from '../events.ts'
import {
  NotSyncedError,
  type Commit,
  type Durability,
  type FinishedTask,
  type FirstAnswer,
  type Found,
  type Store,
  type StoreListener,
  type TaskPage,
  type TaskQuery,
} from '../store.ts'
import { checkTables, openTables, type Tables } from './database.ts'
import { checkFile } from './file-check.ts'
import { endHistory, type EventHistory, EventLog } from './event-log.ts'
import { GroupCommit } from './group-commit.ts'
import { GroupDisk } from './group-disk.ts'
import { Housekeeping, type Retention } from './housekeeping.ts'
import { Ids } from './ids.ts'
import type { Journal } from './journal.ts'
import { load } from './load.ts'
import { type DataDirLock, lockDataDir } from './lock.ts'
import { Memory } from './memory.ts'
import { Pending } from './pending.ts'
import { explain, storeProblem, within } from './problems.ts'
import { Reader } from './reader.ts'
import { RecordBuffer } from './record-buffer.ts'
import { recover } from './recover.ts'
import { StartNotes } from './start-notes.ts'
import { takeOver } from './take-over.ts'
import { Texts } from './texts.ts'
import type { Change } from './write-group.ts'
import { Writer } from './writer.ts'

const FILE = 'execgo.lmdb'
const STARTS_FILE = 'execgo.starts'

export interface LmdbStoreOptions {
  readonly dataDir: string
  readonly nowMs: () => number
  /** Milliseconds between two writings of state.json, made only when something changed; 0 = none. */
  readonly stateJsonEveryMs: number
  readonly retention: Retention
  /** `DEFAULT_HISTORY` where it is absent. */
  readonly events?: EventHistory
  /** Told of housekeeping that failed; it is tried again. */
  readonly onProblem: (error: unknown, what: string) => void
}

interface Open {
  readonly tables: Tables
  readonly lock: DataDirLock
  readonly journal: Journal
  readonly pending: Pending
  readonly memory: Memory
  readonly reader: Reader
  readonly notes: StartNotes
  readonly ids: Ids
  readonly commits: GroupCommit<Change>
  readonly housekeeping: Housekeeping
  readonly events: EventLog
}

export class LmdbStore implements Store {
  readonly #options: LmdbStoreOptions
  #open: Open | null = null
  #stopping: Promise<void> | null = null
  #listener: StoreListener | null = null

  constructor(options: LmdbStoreOptions) {
    this.#options = options
  }

  async start(): Promise<Found> {
    const { dataDir, nowMs } = this.#options
    await prepareDataDir(dataDir)
    const lock = await lockDataDir(dataDir)
    try {
      const path = join(dataDir, FILE)
      const tables = explain(path, () => {
        checkFile(path)
        const opened = openTables(path)
        checkTables(opened)
        return opened
      })
      await takeOver(tables, dataDir, path, nowMs())
      const journal = await recover(tables, dataDir)
      return explain(path, () => this.#load(tables, lock, journal))
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
    const { commits, ids, housekeeping } = this.#opened
    const { accepted } = commit
    const replaces = accepted !== undefined && ids.announce(accepted)
    try {
      const isRelaxed = durability === 'relaxed'
      const isEarly = isRelaxed && accepted !== undefined && commit.firstAnswer === undefined
      await commits.add(replaces ? { ...commit, replaces } : commit, isRelaxed, isEarly)
    } catch (error) {
      if (accepted !== undefined) ids.takeBack(accepted)
      const isWritten = error instanceof NotSyncedError
      const problem = await storeProblem(isWritten ? error.cause : error, this.#options.dataDir)
      throw isWritten ? new NotSyncedError(problem.message, { cause: problem }) : problem
    }
    housekeeping.noteChange()
  }

  noteStarts(tasks: readonly Task[]): void {
    this.#note('attempts that begin were not noted: after a crash their numbers may be given again', () =>
      this.#opened.notes.add(tasks),
    )
  }

  unfinished(id: string): Task | null {
    return this.#opened.memory.index.taskOf(id)
  }

  unfinishedOf(graph: Graph): Iterable<Task> {
    return this.#opened.memory.index.tasks(graph.key, graph.size)
  }

  get(id: string): string | null {
    return this.#opened.reader.get(id)
  }

  getByHandle(handleId: string): Promise<string | null> {
    return this.#opened.reader.getByHandle(handleId)
  }

  has(id: string): Promise<boolean> {
    return this.#opened.reader.has(id)
  }

  list(status?: Status): AsyncIterable<string> {
    return this.#opened.reader.list(status)
  }

  page(query: TaskQuery): Promise<TaskPage> {
    return this.#opened.reader.page(query)
  }

  graph(key: number): Promise<Graph | null> {
    return this.#opened.reader.graph(key)
  }

  graphs(beforeKey: number, limit: number): Promise<readonly Graph[]> {
    return this.#opened.reader.graphs(beforeKey, limit)
  }

  finishedOf(graph: Graph): AsyncIterable<FinishedTask> {
    return this.#opened.reader.finishedOf(graph)
  }

  firstAnswer(key: string): Promise<FirstAnswer | null> {
    return this.#opened.reader.firstAnswer(key)
  }

  listen(listener: StoreListener): void {
    this.#listener = listener
  }

  get areEventsOn(): boolean {
    return this.#opened.events.isOn
  }

  get lastEvent(): number {
    return this.#opened.events.last
  }

  get firstEvent(): number {
    return this.#opened.events.first
  }

  eventsAfter(after: number): readonly TaskEvent[] | null {
    return this.#opened.events.read(after)
  }

  get #opened(): Open {
    if (this.#open === null) throw new Error('the store is not open')
    return this.#open
  }

  /** A disk that refuses this is no reason to stop what runs. */
  #note(what: string, write: () => void): void {
    try {
      write()
    } catch (error) {
      this.#options.onProblem(error, what)
    }
  }

  #load(tables: Tables, lock: DataDirLock, journal: Journal): Found {
    const { onProblem } = this.#options
    const notes = new StartNotes(join(this.#options.dataDir, STARTS_FILE), String(tables.meta.get('id')))
    const loaded = load(tables, notes.read())
    const memory = new Memory(loaded.index, loaded.acceptsAlive, loaded.withGone)
    const records = new RecordBuffer()
    const onApplied = (): void => housekeeping.noteChange()
    const pending = new Pending({
      dataDir: this.#options.dataDir,
      tables,
      journal,
      records,
      onApplied,
      onProblem,
    })
    const texts = new Texts(tables, pending)
    for (const task of loaded.unfinished) {
      memory.index.hold(task)
      if (!memory.graphs.has(task.graph.key)) memory.addGraph(task.graph)
      memory.awaited.add(task, memory.index.accept(task.key))
    }
    const ids = new Ids(memory, texts)
    const disk = new GroupDisk({ dataDir: this.#options.dataDir, tables, journal, records, pending })
    const { nowMs, events: history = DEFAULT_HISTORY } = this.#options
    if (history.maxEvents === 0) endHistory(tables)
    const events = new EventLog({ ...history, tables, pending, nowMs })
    const listener = (): StoreListener | null => this.#listener
    const parts = { tables, memory, texts, ids, records, disk, events, listener }
    const commits = new GroupCommit<Change>(new Writer(parts, loaded))
    const housekeeping = new Housekeeping({ ...this.#options, tables, pending, memory, commits })
    const reader = new Reader(tables, pending, memory, texts, this.#options.nowMs)
    this.#open = { tables, lock, journal, pending, memory, reader, notes, ids, commits, housekeeping, events }
    housekeeping.start(loaded)
    this.#note('attempts cannot be noted as they begin', () => notes.reset(loaded.begun))
    return {
      lastKey: loaded.lastKey,
      unfinished: loaded.unfinished.map((task) => ({
        task,
        settledDependencies: loaded.dependencies.settled(task, (id) => ids.keyOf(id)),
      })),
    }
  }

  /** What the tables do not take now is in the journal, and gets there at the next start. */
  async #drain({ pending }: Open): Promise<void> {
    await pending
      .drain()
      .catch((error: unknown) => this.#options.onProblem(error, 'the database is behind the journal'))
  }

  async #close(): Promise<void> {
    const open = this.#open
    if (open === null) return
    await open.commits.end()
    await this.#drain(open)
    await open.housekeeping.stop()
    await open.commits.idle()
    await this.#drain(open)
    open.pending.stop()
    // After a failed write LMDB's own promises of a sync never resolve; all that was promised was waited for above.
    await within(open.tables.root.close(), null, CLOSE_WITHIN_MS)
    open.notes.close()
    open.journal.close()
    await open.lock.release()
  }
}

/** What of the events stays where nobody says. */
const DEFAULT_HISTORY: EventHistory = { maxEvents: 100_000, maxAgeMs: 60 * 60 * 1000 }

const CLOSE_WITHIN_MS = 2000
