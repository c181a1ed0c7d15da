/**
 * The port behind which tasks are kept: one file per way of keeping them. Async and in batches, so that a shared
 * database can stand behind it. One writer, the scheduler; the edges read.
 */
import type { DependencyEnd } from '../domain/dependency.ts'
import type { Graph } from '../domain/graph-record.ts'
import type { Status } from '../domain/lifecycle.ts'
import type { Category, Task } from '../domain/task.ts'
import type { TaskEvent, TaskNote } from './events.ts'

/** `relaxed` resolves once written, before the sync, which follows within 100 ms. */
export type Durability = 'sync' | 'relaxed'

/** A first answer is given again for this long. */
export const FIRST_ANSWER_MS = 24 * 60 * 60 * 1000

/** The first answer to a submission that carried an `Idempotency-Key`. */
export interface FirstAnswer {
  readonly key: string
  /** Names the body: the same key with another one is refused. */
  readonly bodyHash: string
  /** JSON text. */
  readonly answer: string
  readonly atMs: number
}

/** A graph's new records. One of an id that is there already takes its place. */
export interface Acceptance {
  readonly graph: Graph
  /** Their keys are the graph's and those after it, in order. */
  readonly tasks: readonly Task[]
  /** The store puts the tasks under way of the same ids in, as it is handed this. */
  readonly replaced?: Task[]
}

/** What is kept together, or not at all. Commits take effect in the order of their calls. */
export interface Commit {
  readonly accepted?: Acceptance
  /** To the submission that is accepted; by itself where nothing in that was new. */
  readonly firstAnswer?: FirstAnswer
  /** Attempts that began: their numbers go on after a crash of the machine too. Not waited for by anybody. */
  readonly started?: readonly Task[]
  /** What else happened to tasks that are not over, in order: told as events. */
  readonly notes?: readonly TaskNote[]
  /**
   * Tasks that are over, in the order in which they ended. One whose record was replaced or removed is passed over.
   * The counts of their graphs are kept, and changed, with them; of those passed over too, or the graph never ends.
   */
  readonly ended?: readonly Task[]
  /** Tasks that were over and are not any more. All of one graph. */
  readonly revived?: readonly Task[]
  /** Ids whose records go. */
  readonly removed?: readonly string[]
  /** Graphs, all over, whose records go, and those of their tasks. */
  readonly removedGraphs?: readonly number[]
}

/** A commit is written, and nobody knows whether it survives the machine: what it tells is told with the next that does. */
export class NotSyncedError extends Error {
  override readonly name = 'NotSyncedError'
}

/** An unfinished task found at the start, and what became of those that it depends on and that are over. */
export interface Recovered {
  readonly task: Task
  /** Of the dependencies that are not unfinished themselves: how each ended, `deleted` where its record is gone. */
  readonly settledDependencies: ReadonlyMap<string, SettledStatus>
}

/** `allowed`: failed, with leave to (`isBad` of the task is false). */
export type SettledStatus = DependencyEnd

/** What was found at the start. */
export interface Found {
  /** Oldest first. */
  readonly unfinished: readonly Recovered[]
  /** The largest key ever given. */
  readonly lastKey: number
}

/** A task that is over, with the key of its record. */
export interface FinishedTask {
  readonly key: number
  /** What GET answers. */
  readonly json: string
}

/** Which tasks, in which order, and how many of them. @see contract B4 */
export interface TaskQuery {
  readonly status: Status | null
  readonly type: Category | null
  /** `''` for any. So is `prefix`, with which ids begin. */
  readonly tool: string
  readonly prefix: string
  /** The key of their graph. */
  readonly graph: number | null
  readonly isNewestFirst: boolean
  /** The key that the page before ended with: a record keeps its key, whatever comes and goes around it. */
  readonly afterKey: number | null
  readonly limit: number
}

export interface TaskPage {
  /** What GET answers, `limit` of them at most: fewer where they are large. */
  readonly tasks: readonly string[]
  /** Where the next page goes on; `null` where nothing follows. */
  readonly nextAfter: number | null
}

/** The reading side: what the edges may use. Tasks are the JSON text that GET answers. */
export interface StoreReader {
  /** At once where it need not be waited for: it is asked for more often than all else together. */
  get(id: string): string | null | Promise<string | null>
  getByHandle(handleId: string): Promise<string | null>
  has(id: string): Promise<boolean>
  /**
   * Every task, or those that show this status, oldest first, without holding them all. A task that comes or goes
   * meanwhile may be in it or not.
   */
  list(status?: Status): AsyncIterable<string>
  /** Some of them, found without reading the others where the index can tell. */
  page(query: TaskQuery): Promise<TaskPage>
  /** As it is now, for reading only. `null` where there is none. */
  graph(key: number): Promise<Graph | null>
  /** Newest first, those with a key below `beforeKey`. */
  graphs(beforeKey: number, limit: number): Promise<readonly Graph[]>
  /** The finished tasks of a graph, oldest first. */
  finishedOf(graph: Graph): AsyncIterable<FinishedTask>
  /** `null` where there is none, or an old one. */
  firstAnswer(key: string): Promise<FirstAnswer | null>
}

/** Told of what clients may be told from now on, in order. Returns soon, and does not throw. */
export interface StoreListener {
  /** These are kept as over: GET shows it. */
  onOver(tasks: readonly Task[]): void
  /** There are events after those that were read. */
  onEvents(): void
}

/** The sequence of events: told by the store when what they tell of is kept. */
export interface StoreEvents {
  /** `false` where no events are kept, and none are told. */
  readonly areEventsOn: boolean
  /** The number of the last event, 0 for none. */
  readonly lastEvent: number
  /** The oldest that can be read. */
  readonly firstEvent: number
  /**
   * Some of the events after this one, none where it is the last one; `null` where the history does not reach back
   * to it, or does not know it.
   */
  eventsAfter(after: number): readonly TaskEvent[] | null
}

export interface Store extends StoreReader, StoreEvents {
  /** There is one listener: the edges. */
  listen(listener: StoreListener): void
  /** Opens what was kept. Throws where it cannot be read, or another daemon has it. */
  start(): Promise<Found>
  /** Waits until everything is kept, then lets go. */
  stop(): Promise<void>
  /** Resolves when the commit is kept; rejects when it is not, and then none of it is. */
  commit(commit: Commit, durability: Durability): Promise<void>
  /**
   * Notes attempts that are about to begin, before they do: their numbers are not given again after a crash of the
   * process. At once, as a dispatch waits for it; a store that cannot says so in the log.
   */
  noteStarts(tasks: readonly Task[]): void
  /** The task of this id while it is not over: the scheduler's own object. */
  unfinished(id: string): Task | null
  /** Those of a graph. */
  unfinishedOf(graph: Graph): Iterable<Task>
}
