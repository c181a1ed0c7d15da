/**
 * The process group leaders alive on this thread, in memory that the main thread shares: when the thread is lost,
 * the main thread kills what it left running.
 */
export class PidTable {
  readonly #places: Int32Array

  constructor(places: Int32Array) {
    this.#places = places
  }

  /** Notes a live group; returns its place, -1 when the table is full (the group is then not guarded). */
  add(pid: number): number {
    for (let place = 0; place < this.#places.length; place++) {
      if (Atomics.compareExchange(this.#places, place, 0, pid) === 0) return place
    }
    return -1
  }

  /** Forgets the group at `place`. */
  remove(place: number): void {
    if (place >= 0) Atomics.store(this.#places, place, 0)
  }
}
