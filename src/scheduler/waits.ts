/** Tasks that wait for a time: that before which they must not run, or that of their next attempt. */
import type { Task } from '../domain/task.ts'
import type { Timer, Timers } from './timers.ts'

/** The wall clock may be set: a task that waits for a time of day looks at it this often. */
const LOOK_AT_CLOCK_MS = 60_000

export class Waits {
  readonly #timers: Timers
  readonly #nowMs: () => number
  readonly #onDue: (task: Task) => void
  readonly #waits = new Map<Task, Timer>()

  /** @param onDue told when the time of a task has come */
  constructor(timers: Timers, nowMs: () => number, onDue: (task: Task) => void) {
    this.#timers = timers
    this.#nowMs = nowMs
    this.#onDue = onDue
  }

  /** Lets the task wait until its own time. */
  untilTime(task: Task): void {
    this.forDelay(task, Math.min(LOOK_AT_CLOCK_MS, Math.max(0, task.runAtMs - this.#nowMs())))
  }

  forDelay(task: Task, delayMs: number): void {
    const timer = this.#timers.add(delayMs, () => {
      this.#waits.delete(task)
      if (task.phase === 'delayed' && task.runAtMs > this.#nowMs()) this.untilTime(task)
      else this.#onDue(task)
    })
    this.#waits.set(task, timer)
  }

  /** How long it waits still, or until it looks at the clock again; 0 for one that does not wait. */
  leftMs(task: Task): number {
    const timer = this.#waits.get(task)
    return timer === undefined ? 0 : this.#timers.leftMs(timer)
  }

  stop(task: Task): void {
    this.#timers.remove(this.#waits.get(task)!)
    this.#waits.delete(task)
  }
}
