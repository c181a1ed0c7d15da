/**
 * Puts `timings` into `runtime.details` of every task that ran, for `EXECGO_TIMINGS=on`. The four follow each other,
 * and are of the last attempt:
 *
 * | queued_ms | started_ms | ran_ms | committed_ms |
 * |---|---|---|---|
 * | in line for a slot | to its thread and back | the tool ran | until the outcome was handed to the disk |
 *
 * @see contract B6
 */
import type { Task } from '../domain/task.ts'
import type { Outcome } from '../pool/messages.ts'
import type { Observer } from '../scheduler/observer.ts'

/** Of the last attempt, by the monotonic clock; NaN for what has not happened. */
interface Times {
  readonly readyMs: number
  startedMs: number
  ranMs: number
  endedMs: number
}

export class Timings implements Observer {
  readonly #monotonicMs: () => number
  /** Of tasks that are under way. */
  readonly #times = new Map<Task, Times>()

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
  }

  ready(task: Task): void {
    const readyMs = this.#monotonicMs()
    this.#times.set(task, { readyMs, startedMs: Number.NaN, ranMs: 0, endedMs: Number.NaN })
  }

  started(task: Task): void {
    const times = this.#times.get(task)
    if (times !== undefined) times.startedMs = this.#monotonicMs()
  }

  ended(task: Task, outcome: Outcome): void {
    const times = this.#times.get(task)
    if (times === undefined) return
    times.endedMs = this.#monotonicMs()
    times.ranMs = outcome.ranMs
  }

  saving(tasks: readonly Task[]): void {
    const nowMs = this.#monotonicMs()
    for (const task of tasks) {
      const times = this.#times.get(task)
      // One of a commit that failed was here before.
      if (times === undefined) continue
      this.#times.delete(task)
      if (task.envelope === null) continue
      const detailsJson = withTimings(task.envelope.detailsJson, timingsJson(times, nowMs))
      task.envelope = { ...task.envelope, detailsJson }
    }
  }

  saved(): void {}
}

const timingsJson = ({ readyMs, startedMs, ranMs, endedMs }: Times, nowMs: number): string => {
  const end = Number.isNaN(endedMs) ? nowMs : endedMs
  const start = Number.isNaN(startedMs) ? end : startedMs
  return `{"queued_ms":${micros(start - readyMs)},"started_ms":${micros(end - start - ranMs)},"ran_ms":${micros(ranMs)},"committed_ms":${micros(nowMs - end)}}`
}

/** Milliseconds to the microsecond. */
const micros = (ms: number): number => Math.max(0, Math.round(ms * 1000) / 1000)

const withTimings = (detailsJson: string, timings: string): string =>
  detailsJson === '' || detailsJson === '{}'
    ? `{"timings":${timings}}`
    : `${detailsJson.slice(0, -1)},"timings":${timings}}`
