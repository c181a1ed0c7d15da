/**
 * The slots, and the attempts that hold them. An attempt's number is its `ref` on its way through the pool.
 *
 * A slot is the right to run one attempt at a time. Attempts of instant tools may share one: they cross to a thread
 * together and run there one after the other.
 */
import type { Task } from '../domain/task.ts'
import type { Timer } from './timers.ts'

/** Why the scheduler stopped an attempt. The first cause wins. */
export type StopCause = 'timeout' | 'cancel' | 'shutdown'

/** Freed when the last of those that share it is over. */
export interface Slot {
  holders: number
}

export interface Attempt {
  readonly ref: number
  task: Task | null
  slot: Slot
  /** Fires when the attempt has run for as long as its task allows; null without a limit. */
  deadline: Timer | null
  stopCause: StopCause | null
  /** Somebody wants the task stopped: no other attempt follows. */
  isCancelled: boolean
}

const NO_SLOT: Slot = { holders: 0 }

export class Attempts {
  /** By their refs, those that are over too: they are used again. */
  readonly #all: Attempt[] = []
  readonly #over: Attempt[] = []
  readonly #slots: number
  #free: number

  constructor(slots: number) {
    this.#slots = slots
    this.#free = slots
  }

  /** All of them. */
  get slots(): number {
    return this.#slots
  }

  /** Slots that nothing holds. */
  get free(): number {
    return this.#free
  }

  /** Slots that something holds. */
  get running(): number {
    return this.#slots - this.#free
  }

  /** Gives the task a slot of its own; the caller saw that one is free. */
  take(task: Task): Attempt {
    this.#free--
    return this.share(task, { holders: 0 })
  }

  /** Lets the task share a slot that is held. */
  share(task: Task, slot: Slot): Attempt {
    const attempt = this.#over.pop() ?? this.#another()
    slot.holders++
    attempt.task = task
    attempt.slot = slot
    attempt.deadline = null
    attempt.stopCause = null
    attempt.isCancelled = false
    return attempt
  }

  /** The attempt of this ref, `undefined` where it is over. */
  get(ref: number): (Attempt & { task: Task }) | undefined {
    const attempt = this.#all[ref]
    return attempt === undefined || attempt.task === null ? undefined : (attempt as Attempt & { task: Task })
  }

  release(attempt: Attempt): void {
    attempt.task = null
    if (--attempt.slot.holders === 0) this.#free++
    attempt.slot = NO_SLOT
    this.#over.push(attempt)
  }

  *held(): Iterable<Attempt> {
    for (const attempt of this.#all) if (attempt.task !== null) yield attempt
  }

  #another(): Attempt {
    const attempt: Attempt = {
      ref: this.#all.length,
      task: null,
      slot: NO_SLOT,
      deadline: null,
      stopCause: null,
      isCancelled: false,
    }
    this.#all.push(attempt)
    return attempt
  }
}
