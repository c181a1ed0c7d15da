/** The sequence of events of the memory store: the last ones, gone with the process. */
import { decodeEvents, EventEncoder, type TaskEvent } from './events.ts'
import type { Commit } from './store.ts'

const MOST_EVENTS = 100_000

export class MemoryEvents {
  readonly #encoder = new EventEncoder()
  #events: TaskEvent[] = []
  #last = 0

  get last(): number {
    return this.#last
  }

  get first(): number {
    return this.#last - this.#events.length + 1
  }

  /** Takes down what a commit tells. */
  add({ accepted, revived, notes = [], ended = [] }: Commit): void {
    this.#encoder.begin()
    if (accepted !== undefined) this.#encoder.submitted(accepted)
    for (const task of revived ?? []) this.#encoder.revived(task)
    let noted = 0
    for (const [at, task] of ended.entries()) {
      noted = this.#encoder.notedUpTo(notes, noted, at)
      this.#encoder.ended(task)
    }
    this.#encoder.notedUpTo(notes, noted, ended.length)
    for (const { text, count } of this.#encoder.end()) {
      for (const event of decodeEvents(this.#last + 1, text)) this.#events.push(event)
      this.#last += count
    }
    if (this.#events.length > MOST_EVENTS * 2) this.#events = this.#events.slice(-MOST_EVENTS)
  }

  read(after: number): readonly TaskEvent[] | null {
    if (after + 1 < this.first || after > this.#last) return null
    const from = after + 1 - this.first
    return this.#events.slice(from, from + 1000)
  }
}
