/** A histogram of seconds: adding to it is a search among twenty numbers and three sums, and makes no object. */

/** Upper bounds of the buckets, in seconds: from a `noop` to a build. */
export const BOUNDS_S: readonly number[] = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
  3600,
]

export const BOUNDS_MS = Float64Array.from(BOUNDS_S, (seconds) => seconds * 1000)

/** What a histogram tells. */
export interface Buckets {
  /** How many fell into each bucket and in none before it; the last one has no bound. */
  readonly buckets: ArrayLike<number>
  readonly sumS: number
}

export class Histogram implements Buckets {
  readonly buckets = new Float64Array(BOUNDS_MS.length + 1)
  #sumMs = 0

  get sumS(): number {
    return this.#sumMs / 1000
  }

  get count(): number {
    return this.buckets.reduce((sum, each) => sum + each, 0)
  }

  /** A time below 0, of a clock that was set back, counts as 0. */
  add(ms: number): void {
    const time = Math.max(ms, 0)
    let at = 0
    while (at < BOUNDS_MS.length && time > BOUNDS_MS[at]!) at++
    this.buckets[at]!++
    this.#sumMs += time
  }
}
