/** Ready tasks: a higher priority first, and within one the one that waits longest. Every step costs the same. */
import { HIGHEST_PRIORITY } from '../domain/task.ts'

export class ReadyQueue<T extends { readonly priority: number }> {
  readonly #levels: readonly Fifo<T>[] = Array.from({ length: HIGHEST_PRIORITY + 1 }, () => new Fifo<T>())
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    this.#levels[item.priority]!.push(item)
    this.#size++
  }

  /** The first in line, `undefined` when none waits. */
  get first(): T | undefined {
    return this.#size === 0 ? undefined : this.#topLevel().first
  }

  /** The first in line, taken out; `undefined` when none waits. */
  take(): T | undefined {
    if (this.#size === 0) return undefined
    this.#size--
    return this.#topLevel().take()
  }

  #topLevel(): Fifo<T> {
    let level = HIGHEST_PRIORITY
    while (this.#levels[level]!.size === 0) level--
    return this.#levels[level]!
  }
}

/** First in, first out, in a ring that doubles when it is full: no allocation for a push, no shifting for a take. */
class Fifo<T> {
  #ring: (T | undefined)[] = new Array(64)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): T | undefined {
    return this.#ring[this.#head]
  }

  push(item: T): void {
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item
    this.#size++
  }

  take(): T | undefined {
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size--
    return item
  }

  #grow(): void {
    const old = this.#ring
    const ring: (T | undefined)[] = new Array(old.length * 2)
    for (let at = 0; at < this.#size; at++) ring[at] = old[(this.#head + at) & (old.length - 1)]
    this.#ring = ring
    this.#head = 0
  }
}
