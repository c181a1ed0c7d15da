/**
 * Tasks in memory, and `state.json` beside them (contract A6): what was not saved yet is lost in a crash.
 * A finished task is kept as the text that GET answers, and the few facts that its graph is counted by.
 */
import { type DependencyEnd, endOf } from '../domain/dependency.ts'
import { countEnded, type Graph } from '../domain/graph-record.ts'
import type { Task } from '../domain/task.ts'
import type { Status } from '../domain/lifecycle.ts'
import { finishedTaskJson } from '../domain/task-json.ts'
import { prepareDataDir } from './data-dir.ts'
import { type Kept, isFinished, pageOfKept, statusOfEnd, statusOfKept, textOf } from './memory-page.ts'
import type { TaskEvent } from './events.ts'
import { FirstAnswers } from './memory-answers.ts'
import { MemoryEvents } from './memory-events.ts'
import { type LoadedRecords, loadRecords } from './memory-records.ts'
import { saveState } from './state-json.ts'
import type {
  Acceptance,
  Commit,
  Durability,
  FinishedTask,
  FirstAnswer,
  Found,
  Recovered,
  Store,
  TaskPage,
  TaskQuery,
  StoreListener,
} from './store.ts'

export interface MemoryStoreOptions {
  readonly dataDir: string
  /** Milliseconds between saves, made only when something changed. 0 saves at the stop alone. */
  readonly saveEveryMs: number
  readonly nowMs: () => number
  /** Told of a periodic save that failed; the next one tries again. */
  readonly onSaveError: (error: unknown) => void
}

interface KeptGraph {
  readonly graph: Graph
  /** Of the tasks that came with it; a record of one may be gone, or belong to another graph now. */
  readonly ids: readonly string[]
  /** Records that are there. */
  records: number
}

export class MemoryStore implements Store {
  readonly #options: MemoryStoreOptions
  readonly #tasks = new Map<string, Kept>()
  /** Handle → id, of the tasks that have one. */
  readonly #handles = new Map<string, string>()
  /** By key, oldest first. */
  readonly #graphs = new Map<number, KeptGraph>()
  readonly #firstAnswers: FirstAnswers
  readonly #events = new MemoryEvents()
  #listener: StoreListener | null = null
  #hasChanged = false
  #timer: NodeJS.Timeout | null = null
  #saving: Promise<void> = Promise.resolve()

  constructor(options: MemoryStoreOptions) {
    this.#options = options
    this.#firstAnswers = new FirstAnswers(options.nowMs)
  }

  async start(): Promise<Found> {
    await prepareDataDir(this.#options.dataDir)
    const loaded = await loadRecords(this.#options.dataDir, this.#options.nowMs())
    this.#takeOver(loaded)
    if (this.#options.saveEveryMs > 0) {
      this.#timer = setInterval(() => this.#savePeriodically(), this.#options.saveEveryMs)
      this.#timer.unref()
    }
    return { unfinished: this.#recovered(), lastKey: loaded.lastKey }
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    // One save at a time, also where two stops come at once.
    const saved = this.#saving.then(() => this.#save())
    this.#saving = saved.catch(() => {})
    await saved
  }

  commit(commit: Commit, _durability: Durability): Promise<void> {
    this.#hasChanged = true
    for (const id of commit.removed ?? []) this.#forget(id)
    for (const key of commit.removedGraphs ?? []) this.#removeGraph(key)
    if (commit.accepted !== undefined) this.#accept(commit.accepted)
    if (commit.firstAnswer !== undefined) this.#firstAnswers.keep(commit.firstAnswer)
    for (const task of commit.revived ?? []) this.#revive(task)
    for (const task of commit.ended ?? []) this.#end(task)
    this.#tell(commit)
    return Promise.resolve()
  }

  listen(listener: StoreListener): void {
    this.#listener = listener
  }

  readonly areEventsOn = true

  get lastEvent(): number {
    return this.#events.last
  }

  get firstEvent(): number {
    return this.#events.first
  }

  eventsAfter(after: number): readonly TaskEvent[] | null {
    return this.#events.read(after)
  }

  #tell(commit: Commit): void {
    const { last } = this.#events
    this.#events.add(commit)
    if (commit.ended !== undefined) this.#listener?.onOver(commit.ended)
    if (this.#events.last > last) this.#listener?.onEvents()
  }

  async get(id: string): Promise<string | null> {
    const kept = this.#tasks.get(id)
    return kept === undefined ? null : textOf(kept)
  }

  async getByHandle(handleId: string): Promise<string | null> {
    const id = this.#handles.get(handleId)
    return id === undefined ? null : this.get(id)
  }

  async has(id: string): Promise<boolean> {
    return this.#tasks.has(id)
  }

  /** Nothing outlives the process here. */
  noteStarts(): void {}

  unfinished(id: string): Task | null {
    const kept = this.#tasks.get(id)
    return kept === undefined || isFinished(kept) ? null : kept
  }

  *unfinishedOf(graph: Graph): Iterable<Task> {
    for (const kept of this.#recordsOf(graph)) if (!isFinished(kept)) yield kept
  }

  async *finishedOf(graph: Graph): AsyncIterable<FinishedTask> {
    for (const kept of this.#recordsOf(graph)) if (isFinished(kept)) yield kept
  }

  async graph(key: number): Promise<Graph | null> {
    return this.#graphs.get(key)?.graph ?? null
  }

  async graphs(beforeKey: number, limit: number): Promise<readonly Graph[]> {
    const keys = [...this.#graphs.keys()].filter((key) => key < beforeKey).sort((a, b) => b - a)
    return keys.slice(0, limit).map((key) => this.#graphs.get(key)!.graph)
  }

  async firstAnswer(key: string): Promise<FirstAnswer | null> {
    return this.#firstAnswers.get(key)
  }

  async *list(status?: Status): AsyncIterable<string> {
    // Of the ids as they are now: a resubmitted one moves to the end of the map, and would be met twice.
    for (const id of [...this.#tasks.keys()]) {
      const kept = this.#tasks.get(id)
      if (kept !== undefined && (status === undefined || statusOfKept(kept) === status)) yield textOf(kept)
    }
  }

  page(query: TaskQuery): Promise<TaskPage> {
    return pageOfKept(this.#tasks.values(), query)
  }

  #accept({ graph, tasks, replaced }: Acceptance): void {
    for (const task of tasks) {
      const before = this.unfinished(task.id)
      if (before !== null) replaced?.push(before)
      this.#forget(task.id)
      this.#tasks.set(task.id, task)
      if (task.handleId !== '') this.#handles.set(task.handleId, task.id)
    }
    this.#graphs.set(graph.key, { graph, ids: tasks.map(({ id }) => id), records: tasks.length })
  }

  #end(task: Task): void {
    const { graph, key } = task
    countEnded(graph.counts, task)
    if (this.#tasks.get(task.id) === task) {
      const json = finishedTaskJson(task)
      this.#tasks.set(task.id, { key, graph, json, end: endOf(task), isBad: task.isBad })
    } else this.#dropGraphIfEmpty(graph)
  }

  #revive(task: Task): void {
    const kept = this.#tasks.get(task.id)
    if (kept === undefined || !isFinished(kept) || kept.key !== task.key) return
    const { counts } = kept.graph
    counts[statusOfEnd(kept.end)]--
    if (kept.isBad) counts.bad--
    this.#tasks.set(task.id, task)
  }

  #forget(id: string): void {
    const kept = this.#tasks.get(id)
    if (kept === undefined) return
    // A resubmitted id moves to the end of the list.
    this.#tasks.delete(id)
    const handleId = isFinished(kept) ? handleIn(kept.json) : kept.handleId
    if (handleId !== '') this.#handles.delete(handleId)
    const keptGraph = this.#graphs.get(kept.graph.key)
    if (keptGraph === undefined) return
    keptGraph.records--
    this.#dropGraphIfEmpty(kept.graph)
  }

  /** A graph of which nothing is left goes with its last record, or, where tasks of it still run, with their end. */
  #dropGraphIfEmpty(graph: Graph): void {
    if (this.#graphs.get(graph.key)?.records === 0 && graph.unfinished === 0) this.#graphs.delete(graph.key)
  }

  #removeGraph(key: number): void {
    const keptGraph = this.#graphs.get(key)
    if (keptGraph === undefined) return
    for (const id of keptGraph.ids) if (this.#tasks.get(id)?.graph === keptGraph.graph) this.#forget(id)
    this.#graphs.delete(key)
  }

  *#recordsOf(graph: Graph): Iterable<Kept> {
    for (const id of this.#graphs.get(graph.key)?.ids ?? []) {
      const kept = this.#tasks.get(id)
      if (kept?.graph === graph) yield kept
    }
  }

  #takeOver({ records }: LoadedRecords): void {
    const ids = new Map<Graph, string[]>()
    for (const [id, kept] of records) {
      this.#tasks.set(id, kept)
      const handleId = isFinished(kept) ? handleIn(kept.json) : kept.handleId
      if (handleId !== '') this.#handles.set(handleId, id)
      const those = ids.get(kept.graph)
      if (those === undefined) ids.set(kept.graph, [id])
      else those.push(id)
    }
    for (const [graph, those] of ids)
      this.#graphs.set(graph.key, { graph, ids: those, records: those.length })
  }

  #recovered(): Recovered[] {
    const endOfDependency = (id: string): DependencyEnd => {
      const kept = this.#tasks.get(id)
      return kept !== undefined && isFinished(kept) ? kept.end : 'deleted'
    }
    return [...this.#tasks.values()]
      .filter((kept): kept is Task => !isFinished(kept))
      .sort((a, b) => a.createdMs - b.createdMs || a.key - b.key)
      .map((task) => ({
        task,
        settledDependencies: new Map(
          task.dependsOn
            .filter((id) => this.unfinished(id) === null)
            .map((id) => [id, endOfDependency(id)] as const),
        ),
      }))
  }

  #savePeriodically(): void {
    this.#saving = this.#saving.then(() => this.#save()).catch(this.#options.onSaveError)
  }

  async #save(): Promise<void> {
    if (!this.#hasChanged) return
    this.#hasChanged = false
    try {
      await saveState(this.#options.dataDir, this.#entries())
    } catch (error) {
      this.#hasChanged = true
      throw error
    }
  }

  *#entries(): Iterable<readonly [string, string]> {
    // The records of one moment: what is accepted during the save is in it whole, the next time.
    const ids = [...this.#tasks.keys()]
    const kept = [...this.#tasks.values()]
    for (let at = 0; at < ids.length; at++) yield [ids[at]!, textOf(kept[at]!)]
  }
}

/** The handle in a finished task's text; only `mcp` tasks are parsed for it. */
const handleIn = (json: string): string => {
  if (!json.includes('"handle_id":"')) return ''
  const handleId: unknown = (JSON.parse(json) as { handle_id?: unknown }).handle_id
  return typeof handleId === 'string' ? handleId : ''
}
