/** What the LMDB store holds in memory: the tasks under way, and where the others are. */
import type { Counts, Graph } from '../../domain/graph-record.ts'
import { Awaited } from './awaited.ts'
import type { TaskIndex } from './task-index.ts'

export class Memory {
  readonly index: TaskIndex
  /** Graphs with tasks that nobody was told to be over. */
  readonly graphs = new Map<number, Graph>()
  /** Their counts as of what is written, which clients may not have been told yet. */
  readonly written = new Map<number, Counts>()
  /** Records of which something is still needed: how many tasks. */
  readonly accepts: Map<number, number>
  /** Accept records of which a task was removed before it was over. */
  readonly withGone: Set<number>
  readonly starts = new Map<number, number>()
  /** Task → the start record that has its last attempt. */
  readonly startOf = new Map<number, number>()
  readonly awaited = new Awaited()
  /** Removed, and still under way: the accept record that tells of their graph until they are over. */
  readonly #away = new Map<number, number>()
  /** Records that go with the next write. */
  readonly idleAccepts: number[] = []
  readonly idleStarts: number[] = []

  constructor(index: TaskIndex, accepts: Map<number, number>, withGone: Set<number>) {
    this.index = index
    this.accepts = accepts
    this.withGone = withGone
  }

  /** Tasks less that need the record that they were accepted with. */
  release(accept: number, tasks = 1): void {
    less(this.accepts, accept, tasks, this.idleAccepts)
    if (!this.accepts.has(accept)) this.awaited.forget(accept)
  }

  /** The accept records that have to know what becomes of a task whose record goes, or went. */
  *concerned(key: number): Iterable<number> {
    const own = this.#away.get(key) ?? this.index.accept(key)
    if (this.accepts.has(own)) yield own
    for (const accept of this.awaited.by(key)) if (accept !== own && this.accepts.has(accept)) yield accept
  }

  /** An unfinished task was removed. */
  leave(key: number): void {
    this.#away.set(key, this.index.accept(key))
    this.releaseStart(key)
  }

  /** Whether a task was removed, and is still under way. */
  isAway(key: number): boolean {
    return this.#away.has(key)
  }

  /** A task that was removed before is over. */
  releaseAway(key: number): void {
    const accept = this.#away.get(key)
    if (accept === undefined) return
    this.#away.delete(key)
    this.release(accept)
  }

  /** A task does not need the record of its last start any more. */
  releaseStart(key: number): void {
    const start = this.startOf.get(key)
    if (start === undefined) return
    this.startOf.delete(key)
    less(this.starts, start, 1, this.idleStarts)
  }

  /** Takes up a graph that is not over. */
  addGraph(graph: Graph): void {
    this.graphs.set(graph.key, graph)
    this.written.set(graph.key, { ...graph.counts })
  }
}

const less = (alive: Map<number, number>, record: number, tasks: number, idle: number[]): void => {
  const left = alive.get(record)
  if (left === undefined) return
  if (left > tasks) alive.set(record, left - tasks)
  else {
    alive.delete(record)
    idle.push(record)
  }
}
