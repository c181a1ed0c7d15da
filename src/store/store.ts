/**
 * The port behind which tasks are kept: one file per way of keeping them. Async and in batches, so that a shared
 * database can stand behind it. One writer, the scheduler; the edges read.
 */
import type { Task } from '../domain/task.ts'

/** What is kept together, or not at all. Commits take effect in the order of their calls. */
export interface Commit {
  /** New records. One of an id that is there already takes its place. */
  readonly accepted?: readonly Task[]
  /** Tasks that are over, in the order in which they ended. One whose record was replaced or removed is passed over. */
  readonly ended?: readonly Task[]
  /** Ids whose records go. */
  readonly removed?: readonly string[]
}

/** An unfinished task found at the start, and what became of those that it depends on and that are over. */
export interface Recovered {
  readonly task: Task
  /** Of the dependencies that are not unfinished themselves: how each ended, `deleted` where its record is gone. */
  readonly settledDependencies: ReadonlyMap<string, 'success' | 'failed' | 'skipped' | 'deleted'>
}

/** The reading side: what the edges may use. Tasks are the JSON text that GET answers. */
export interface StoreReader {
  get(id: string): Promise<string | null>
  getByHandle(handleId: string): Promise<string | null>
  has(id: string): Promise<boolean>
  /** Every task, in pieces, without holding them all. A task that comes or goes meanwhile may be in it or not. */
  list(): AsyncIterable<string>
}

export interface Store extends StoreReader {
  /** Opens what was kept; returns the unfinished tasks, oldest first. Throws where it cannot be read. */
  start(): Promise<Recovered[]>
  /** Waits until everything is kept, then lets go. */
  stop(): Promise<void>
  /** Resolves when the commit is kept; rejects when it is not, and then none of it is. */
  commit(commit: Commit): Promise<void>
}
