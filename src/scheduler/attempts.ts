/**
 * The slots: which task's attempt holds which. A slot's number is the attempt's `ref` on its way through the pool.
 */
import type { Task } from '../domain/task.ts'
import type { Timer } from './timers.ts'

/** Why the scheduler stopped an attempt. The first cause wins. */
export type StopCause = 'timeout' | 'cancel' | 'shutdown'

export interface Attempt {
  readonly ref: number
  task: Task | null
  /** Fires when the attempt has run for as long as its task allows; null without a limit. */
  deadline: Timer | null
  stopCause: StopCause | null
  /** Somebody wants the task stopped: no other attempt follows. */
  isCancelled: boolean
}

export class Attempts {
  readonly #slots: Attempt[]
  readonly #free: number[]

  constructor(slots: number) {
    this.#slots = Array.from({ length: slots }, (_, ref) => ({
      ref,
      task: null,
      deadline: null,
      stopCause: null,
      isCancelled: false,
    }))
    // The lowest is taken first.
    this.#free = Array.from({ length: slots }, (_, at) => slots - 1 - at)
  }

  get free(): number {
    return this.#free.length
  }

  get running(): number {
    return this.#slots.length - this.#free.length
  }

  /** Gives the task a slot; the caller saw that one is free. */
  take(task: Task): Attempt {
    const attempt = this.#slots[this.#free.pop()!]!
    attempt.task = task
    attempt.deadline = null
    attempt.stopCause = null
    attempt.isCancelled = false
    return attempt
  }

  /** The attempt that holds the slot, `undefined` for a free one. */
  get(ref: number): (Attempt & { task: Task }) | undefined {
    const attempt = this.#slots[ref]
    return attempt === undefined || attempt.task === null ? undefined : (attempt as Attempt & { task: Task })
  }

  release(attempt: Attempt): void {
    attempt.task = null
    this.#free.push(attempt.ref)
  }

  *held(): Iterable<Attempt> {
    for (const attempt of this.#slots) if (attempt.task !== null) yield attempt
  }
}
