/** Long work in slices: others have their turns in between. */

/** Longer than this no loop holds the thread, but for one step of it. */
const SLICE_MS = 10

export class Slices {
  #sinceMs = performance.now()

  /** To be awaited before each step: lets others have their turns where the slice is over. */
  async next(): Promise<void> {
    if (performance.now() - this.#sinceMs < SLICE_MS) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#sinceMs = performance.now()
  }
}
