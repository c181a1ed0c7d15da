/**
 * Every time the scheduler waits for (timeouts, retries) in one heap, and one timer of the system for the earliest.
 * A timer that is not needed any more leaves the heap at once, so that nothing is held for it.
 */

/** Something to do at a time. `place` is its place in the heap, -1 outside. */
export interface Timer {
  atMs: number
  place: number
  readonly run: () => void
}

/** Longest delay that setTimeout can take. */
const LONGEST_MS = 2 ** 31 - 1

export class Timers {
  readonly #heap: Timer[] = []
  readonly #nowMs: () => number
  #armed: NodeJS.Timeout | null = null
  #armedForMs = 0

  /** @param nowMs a clock that never goes back */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get size(): number {
    return this.#heap.length
  }

  /** Runs `run` once `delayMs` have passed. */
  add(delayMs: number, run: () => void): Timer {
    const timer: Timer = { atMs: this.#nowMs() + delayMs, place: this.#heap.length, run }
    this.#heap.push(timer)
    this.#rise(timer)
    this.#arm()
    return timer
  }

  /** Milliseconds until it is due. */
  leftMs(timer: Timer): number {
    return Math.max(0, timer.atMs - this.#nowMs())
  }

  /** Takes a timer out; one that ran, or was taken out, stays so. */
  remove(timer: Timer): void {
    const place = timer.place
    if (place < 0) return
    timer.place = -1
    const last = this.#heap.pop()!
    if (last === timer) return
    last.place = place
    this.#heap[place] = last
    this.#rise(last)
    this.#sink(last)
  }

  /** Runs what is due. Where one throws, the rest of it comes with the next turn of the system's timer. */
  fire(): void {
    const nowMs = this.#nowMs()
    try {
      for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs; first = this.#heap[0]) {
        this.remove(first)
        first.run()
      }
    } finally {
      this.#arm()
    }
  }

  stop(): void {
    if (this.#armed !== null) clearTimeout(this.#armed)
    this.#armed = null
    for (const timer of this.#heap) timer.place = -1
    this.#heap.length = 0
  }

  /** A system timer that is early is left to find nothing due: re-arming it for each removal would cost more. */
  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || (this.#armed !== null && this.#armedForMs <= first.atMs)) return
    if (this.#armed !== null) clearTimeout(this.#armed)
    this.#armedForMs = first.atMs
    const delayMs = Math.min(LONGEST_MS, Math.max(0, Math.ceil(first.atMs - this.#nowMs())))
    this.#armed = setTimeout(() => {
      this.#armed = null
      this.fire()
    }, delayMs)
  }

  #rise(timer: Timer): void {
    while (timer.place > 0) {
      const parent = this.#heap[(timer.place - 1) >> 1]!
      if (parent.atMs <= timer.atMs) return
      this.#swap(parent, timer)
    }
  }

  #sink(timer: Timer): void {
    for (;;) {
      const left = this.#heap[2 * timer.place + 1]
      const right = this.#heap[2 * timer.place + 2]
      const child = right !== undefined && right.atMs < left!.atMs ? right : left
      if (child === undefined || child.atMs >= timer.atMs) return
      this.#swap(timer, child)
    }
  }

  #swap(upper: Timer, lower: Timer): void {
    const place = upper.place
    upper.place = lower.place
    lower.place = place
    this.#heap[upper.place] = upper
    this.#heap[place] = lower
  }
}
