/** What the LMDB store holds in memory: the tasks under way, and where the others are. */
import type { Counts, Graph } from '../../domain/graph-record.ts'
import type { Task } from '../../domain/task.ts'
import { Awaited } from './awaited.ts'
import type { TaskIndex } from './task-index.ts'

export class Memory {
  readonly index: TaskIndex
  /** Tasks that nobody was told to be over, by id and by key. */
  readonly live = new Map<string, Task>()
  readonly byKey = new Map<number, Task>()
  /** Graphs with such tasks. */
  readonly graphs = new Map<number, Graph>()
  /** Their counts as of what is written, which clients may not have been told yet. */
  readonly written = new Map<number, Counts>()
  /** Records of which something is still needed: how many tasks. */
  readonly accepts: Map<number, number>
  readonly starts = new Map<number, number>()
  /** Task → the start record that has its last attempt. */
  readonly startOf = new Map<number, number>()
  readonly awaited = new Awaited()
  /** Removed, and still under way: the accept record that tells of their graph until they are over. */
  readonly #away = new Map<number, number>()
  /** Records that go with the next write. */
  readonly idleAccepts: number[] = []
  readonly idleStarts: number[] = []

  constructor(index: TaskIndex, accepts: Map<number, number>) {
    this.index = index
    this.accepts = accepts
  }

  /** One task less needs the record that it was accepted with, and that of its last start. */
  release(key: number): void {
    this.#releaseAccept(this.index.accept(key))
    this.releaseStart(key)
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

  /** A task that was removed before is over. */
  releaseAway(key: number): void {
    const accept = this.#away.get(key)
    if (accept === undefined) return
    this.#away.delete(key)
    this.#releaseAccept(accept)
  }

  releaseStart(key: number): void {
    const start = this.startOf.get(key)
    if (start === undefined) return
    this.startOf.delete(key)
    less(this.starts, start, this.idleStarts)
  }

  #releaseAccept(accept: number): void {
    less(this.accepts, accept, this.idleAccepts)
    if (!this.accepts.has(accept)) this.awaited.forget(accept)
  }

  /** Takes up a graph that is not over. */
  addGraph(graph: Graph): void {
    this.graphs.set(graph.key, graph)
    this.written.set(graph.key, { ...graph.counts })
  }
}

const less = (alive: Map<number, number>, record: number, idle: number[]): void => {
  const left = alive.get(record)
  if (left === undefined) return
  if (left > 1) alive.set(record, left - 1)
  else {
    alive.delete(record)
    idle.push(record)
  }
}
