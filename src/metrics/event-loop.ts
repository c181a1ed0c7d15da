/** How late the main thread's event loop is. Measured from the first time that somebody asks: the measuring wakes it. */
import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks'

const RESOLUTION_MS = 20

/** What was measured before this is forgotten, so that a bad minute is over some time. */
const WINDOW_MS = 60_000

export interface EventLoopDelay {
  readonly meanS: number
  readonly p50S: number
  readonly p99S: number
  readonly maxS: number
}

export class EventLoop {
  #delay: IntervalHistogram | null = null
  #sinceMs = 0

  /** Over the last minute or less. */
  delay(): EventLoopDelay {
    const nowMs = performance.now()
    if (this.#delay === null) {
      this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
      this.#delay.enable()
      this.#sinceMs = nowMs
    }
    const delay = this.#delay
    const answer = {
      meanS: lateness(delay.mean),
      p50S: lateness(delay.percentile(50)),
      p99S: lateness(delay.percentile(99)),
      maxS: lateness(delay.max),
    }
    if (nowMs - this.#sinceMs >= WINDOW_MS) {
      delay.reset()
      this.#sinceMs = nowMs
    }
    return answer
  }

  /** Seconds since the start in which it was busy. */
  busyS(): number {
    return performance.eventLoopUtilization().active / 1000
  }
}

/** The histogram holds whole intervals of the measuring timer, in nanoseconds; NaN where there is none yet. */
const lateness = (ns: number): number => Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000) || 0
