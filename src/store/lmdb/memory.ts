/** What the LMDB store holds in memory: the tasks under way, and where the others are. */
import type { Counts, Graph } from '../../domain/graph-record.ts'
import type { Task } from '../../domain/task.ts'
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
    less(this.accepts, this.index.accept(key), this.idleAccepts)
    this.releaseStart(key)
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
    less(this.accepts, accept, this.idleAccepts)
  }

  releaseStart(key: number): void {
    const start = this.startOf.get(key)
    if (start === undefined) return
    this.startOf.delete(key)
    less(this.starts, start, this.idleStarts)
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
