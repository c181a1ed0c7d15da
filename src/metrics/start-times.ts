/** How long commands took to start, as the threads count it: read when somebody asks. */
import type { SharedStartTimes } from '../pool/messages.ts'
import { BOUNDS_MS, type Buckets } from './histogram.ts'

export class StartTimes implements Buckets {
  /** For the threads. */
  readonly shared: SharedStartTimes = {
    boundsMs: BOUNDS_MS,
    counts: new BigInt64Array(new SharedArrayBuffer(8 * (BOUNDS_MS.length + 2))),
  }

  get buckets(): readonly number[] {
    return Array.from({ length: BOUNDS_MS.length + 1 }, (_, at) => this.#count(at))
  }

  get sumS(): number {
    return this.#count(BOUNDS_MS.length + 1) / 1e6
  }

  #count(at: number): number {
    return Number(Atomics.load(this.shared.counts, at))
  }
}
