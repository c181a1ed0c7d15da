/** Another starter, with a note of how long each command took until its process was there. */
import type { Holdings, SharedStartTimes } from '../../src/pool/messages.ts'
import type { ProcessSpec, ProcessStarter, StartResult } from './starter.ts'

export class TimedStarter implements ProcessStarter {
  readonly #starter: ProcessStarter
  readonly #times: SharedStartTimes

  constructor(starter: ProcessStarter, times: SharedStartTimes) {
    this.#starter = starter
    this.#times = times
  }

  get way(): ProcessStarter['way'] {
    return this.#starter.way
  }

  async start(spec: ProcessSpec): Promise<StartResult> {
    const beganMs = performance.now()
    const result = await this.#starter.start(spec)
    if (result.ok) this.#add(performance.now() - beganMs)
    return result
  }

  inherit(holdings: Holdings): void {
    this.#starter.inherit(holdings)
  }

  #add(ms: number): void {
    const { boundsMs, counts } = this.#times
    const at = boundsMs.findIndex((bound) => ms <= bound)
    Atomics.add(counts, at < 0 ? boundsMs.length : at, 1n)
    Atomics.add(counts, boundsMs.length + 1, BigInt(Math.round(ms * 1000)))
  }
}
