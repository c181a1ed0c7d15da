/** First in, first out, in a ring that doubles when it is full: no allocation for a push, no shifting for a take. */
export class ReadyQueue<T> {
  #ring: (T | undefined)[] = new Array(64)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item
    this.#size++
  }

  /** The one that waits longest, taken out; `undefined` when none waits. */
  take(): T | undefined {
    if (this.#size === 0) return undefined
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
