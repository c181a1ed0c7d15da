/** Ready tasks: a higher priority first, and within one the one that waits longest. Every step costs the same. */
import { HIGHEST_PRIORITY } from '../domain/task.ts'

/** As many dead ones are left in line at least. */
const DEAD_AT_LEAST = 1024

export class ReadyQueue<T extends { readonly priority: number }> {
  readonly #levels: readonly Fifo<T>[] = Array.from({ length: HIGHEST_PRIORITY + 1 }, () => new Fifo<T>())
  readonly #isAlive: (item: T) => boolean
  #size = 0
  #dead = 0

  /** @param isAlive whether an item may still be taken; one that may not is dropped */
  constructor(isAlive: (item: T) => boolean = () => true) {
    this.#isAlive = isAlive
  }

  /** Those in line, dead ones too. */
  get size(): number {
    return this.#size
  }

  /** Those that may still be taken. */
  get alive(): number {
    return this.#size - this.#dead
  }

  /** How many will be taken before it, and itself; 0 where it is not in line. Looks at all that are before it. */
  placeOf(item: T): number {
    let place = 0
    for (let level = HIGHEST_PRIORITY; level > item.priority; level--)
      for (const other of this.#levels[level]!.items()) if (this.#isAlive(other)) place++
    for (const other of this.#levels[item.priority]!.items()) {
      if (this.#isAlive(other)) place++
      if (other === item) return place
    }
    return 0
  }

  push(item: T): void {
    this.#levels[item.priority]!.push(item)
    this.#size++
  }

  /** The first in line, `undefined` when none waits. */
  get first(): T | undefined {
    while (this.#size > 0) {
      const item = this.#topLevel().first!
      if (this.#isAlive(item)) return item
      this.#topLevel().take()
      this.#size--
      this.#dead--
    }
    return undefined
  }

  /** The first in line, taken out; `undefined` when none waits. */
  take(): T | undefined {
    const item = this.first
    if (item === undefined) return undefined
    this.#size--
    return this.#topLevel().take()
  }

  /** One in line has died. Where most of them have, they are let go of: their turn may be far away. */
  noteDead(): void {
    this.#dead++
    if (this.#dead < DEAD_AT_LEAST || this.#dead * 2 < this.#size) return
    this.#size = 0
    this.#dead = 0
    for (const level of this.#levels) {
      level.keep(this.#isAlive)
      this.#size += level.size
    }
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
    if (this.#size === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size--
    return item
  }

  *items(): Iterable<T> {
    for (let at = 0; at < this.#size; at++) yield this.#ring[(this.#head + at) & (this.#ring.length - 1)]!
  }

  /** Keeps some, in their order, in no more room than they need. */
  keep(isKept: (item: T) => boolean): void {
    const kept: T[] = []
    for (let item = this.take(); item !== undefined; item = this.take()) if (isKept(item)) kept.push(item)
    this.#ring = new Array(64)
    this.#head = 0
    for (const item of kept) this.push(item)
  }

  #grow(): void {
    const old = this.#ring
    const ring: (T | undefined)[] = new Array(old.length * 2)
    for (let at = 0; at < this.#size; at++) ring[at] = old[(this.#head + at) & (old.length - 1)]
    this.#ring = ring
    this.#head = 0
  }
}
