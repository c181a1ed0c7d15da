/**
 * Tasks in memory, and `state.json` beside them (contract A6): what was not saved yet is lost in a crash.
 * A finished task is kept as the text that GET answers, and as nothing else.
 */
import { finishedTaskJson, liveTaskJson } from '../domain/task-json.ts'
import type { Task } from '../domain/task.ts'
import { type LoadedState, loadState, saveState } from './state-json.ts'
import type { Commit, Recovered, Store } from './store.ts'

export interface MemoryStoreOptions {
  readonly dataDir: string
  /** Milliseconds between saves, made only when something changed. 0 saves at the stop alone. */
  readonly saveEveryMs: number
  readonly nowMs: () => number
  /** Told of a periodic save that failed; the next one tries again. */
  readonly onSaveError: (error: unknown) => void
}

type Kept = Task | string

export class MemoryStore implements Store {
  readonly #options: MemoryStoreOptions
  readonly #tasks = new Map<string, Kept>()
  /** Handle → id, of the tasks that have one. */
  readonly #handles = new Map<string, string>()
  #hasChanged = false
  #timer: NodeJS.Timeout | null = null
  #saving: Promise<void> = Promise.resolve()

  constructor(options: MemoryStoreOptions) {
    this.#options = options
  }

  async start(): Promise<Recovered[]> {
    const loaded = await loadState(this.#options.dataDir, this.#options.nowMs())
    for (const [id, json] of loaded.finished) this.#tasks.set(id, json)
    for (const { task } of loaded.unfinished) this.#tasks.set(task.id, task)
    for (const [handleId, id] of loaded.handles) this.#handles.set(handleId, id)
    if (this.#options.saveEveryMs > 0) {
      this.#timer = setInterval(() => this.#savePeriodically(), this.#options.saveEveryMs)
      this.#timer.unref()
    }
    return withSettledDependencies(loaded)
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    // One save at a time, also where two stops come at once.
    const saved = this.#saving.then(() => this.#save())
    this.#saving = saved.catch(() => {})
    await saved
  }

  commit(commit: Commit): Promise<void> {
    this.#hasChanged = true
    for (const id of commit.removed ?? []) this.#forget(id)
    for (const task of commit.accepted ?? []) {
      this.#forget(task.id)
      this.#tasks.set(task.id, task)
      if (task.handleId !== '') this.#handles.set(task.handleId, task.id)
    }
    for (const task of commit.ended ?? []) {
      if (this.#tasks.get(task.id) === task) this.#tasks.set(task.id, finishedTaskJson(task))
    }
    return Promise.resolve()
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

  async *list(): AsyncIterable<string> {
    // Of the ids as they are now: a resubmitted one moves to the end of the map, and would be met twice.
    for (const id of [...this.#tasks.keys()]) {
      const kept = this.#tasks.get(id)
      if (kept !== undefined) yield textOf(kept)
    }
  }

  #forget(id: string): void {
    const kept = this.#tasks.get(id)
    if (kept === undefined) return
    // A resubmitted id moves to the end of the list.
    this.#tasks.delete(id)
    const handleId = typeof kept === 'string' ? handleIn(kept) : kept.handleId
    if (handleId !== '') this.#handles.delete(handleId)
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

const textOf = (kept: Kept): string => (typeof kept === 'string' ? kept : liveTaskJson(kept))

/** The handle in a finished task's text; only `mcp` tasks are parsed for it. */
const handleIn = (json: string): string => {
  if (!json.includes('"handle_id":"')) return ''
  const handleId: unknown = (JSON.parse(json) as { handle_id?: unknown }).handle_id
  return typeof handleId === 'string' ? handleId : ''
}

const withSettledDependencies = (loaded: LoadedState): Recovered[] => {
  const unfinishedIds = new Set(loaded.unfinished.map(({ task }) => task.id))
  return loaded.unfinished.map(({ task }) => ({
    task,
    settledDependencies: new Map(
      task.dependsOn
        .filter((id) => !unfinishedIds.has(id))
        .map((id) => [id, loaded.statuses.get(id) ?? 'deleted'] as const),
    ),
  }))
}
