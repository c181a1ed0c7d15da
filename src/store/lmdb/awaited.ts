/**
 * Which tasks others of other graphs wait for. What becomes of one whose record goes is noted with those that wait, in
 * their accept records, so that a restart knows it as long as they do.
 */
import type { Task } from '../../domain/task.ts'

export class Awaited {
  /** Key of the one that is awaited → accept records of those that wait. */
  readonly #accepts = new Map<number, Set<number>>()
  /** The other way round. */
  readonly #keys = new Map<number, Set<number>>()

  /** Notes what a task of this accept record waits for. */
  add(task: Task, accept: number): void {
    if (task.outside === null) return
    for (const key of task.outside.values()) {
      if (typeof key === 'string') continue
      link(this.#accepts, key, accept)
      link(this.#keys, accept, key)
    }
  }

  /** The accept records of those that wait for it. */
  by(key: number): Iterable<number> {
    return this.#accepts.get(key) ?? []
  }

  /** The tasks of this accept record are over. */
  forget(accept: number): void {
    for (const key of this.#keys.get(accept) ?? []) {
      const accepts = this.#accepts.get(key)!
      accepts.delete(accept)
      if (accepts.size === 0) this.#accepts.delete(key)
    }
    this.#keys.delete(accept)
  }
}

const link = (links: Map<number, Set<number>>, from: number, to: number): void => {
  const linked = links.get(from)
  if (linked === undefined) links.set(from, new Set([to]))
  else linked.add(to)
}
