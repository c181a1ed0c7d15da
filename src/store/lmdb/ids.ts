/** Which record an id names: one that is kept or being written, and one that was handed in since. */
import type { Acceptance } from '../store.ts'
import type { Memory } from './memory.ts'
import { UNFINISHED, WAITING } from './task-index.ts'
import type { Texts } from './texts.ts'

export class Ids {
  readonly #memory: Memory
  readonly #texts: Texts

  constructor(memory: Memory, texts: Texts) {
    this.#memory = memory
    this.#texts = texts
  }

  /**
   * A graph was handed in: its tasks are found by their ids from now on, so that one that comes next finds what it
   * replaces. Returns whether they replace something themselves.
   */
  announce({ graph, tasks, replaced }: Acceptance): boolean {
    let replaces = false
    for (const task of tasks) {
      const mayReplace = this.#memory.index.add(task)
      if (!mayReplace) continue
      replaces ||= this.#hasOther(task.key, task.id)
      const before = this.#memory.index.taskOf(task.id, task.key)
      if (before !== null) replaced?.push(before)
    }
    this.#memory.addGraph(graph)
    return replaces
  }

  /** It was not written, and never will be. */
  takeBack({ graph, tasks }: Acceptance): void {
    const { index, graphs, written } = this.#memory
    for (const { key } of tasks) {
      // Written, and not synced: its record goes with the next ones.
      if (index.code(key) === UNFINISHED) this.#memory.release(index.accept(key))
      index.remove(key)
      index.drop(key)
    }
    graphs.delete(graph.key)
    written.delete(graph.key)
  }

  /** The key of the record that an id has now, -1 for none: also one that is being written. */
  keyOf(id: string): number {
    const { index } = this.#memory
    for (const key of index.candidates(id)) if (index.code(key) !== WAITING && this.#isOf(key, id)) return key
    return -1
  }

  #hasOther(key: number, id: string): boolean {
    return this.#memory.index.candidates(id).some((other) => other !== key && this.#isOf(other, id))
  }

  /** Whether a record is one of this id. */
  #isOf(key: number, id: string): boolean {
    const { index } = this.#memory
    const task = index.task(key)
    if (task !== null) return task.id === id
    const place = index.place(key)
    return place !== null && this.#texts.isOf(place, id)
  }
}
