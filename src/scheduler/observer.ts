/** What somebody may want to know of tasks as they go by, to count and to time it. Must cost next to nothing. */
import type { Task } from '../domain/task.ts'
import type { Outcome } from '../pool/messages.ts'

export interface Observer {
  /** It is in line for a slot. */
  ready(task: Task): void
  /** It was given a slot; it was ready since `readyMs`. */
  started(task: Task, readyMs: number): void
  /** An attempt of it came back. */
  ended(task: Task, outcome: Outcome): void
  /** Tasks that are over are about to be handed to the store. */
  saving(tasks: readonly Task[]): void
  /** The store keeps them. */
  saved(tasks: readonly Task[]): void
}

/** For nobody. */
export const NO_OBSERVER: Observer = {
  ready() {},
  started() {},
  ended() {},
  saving() {},
  saved() {},
}

/** For two. */
export const bothOf = (first: Observer, second: Observer): Observer => ({
  ready(task) {
    first.ready(task)
    second.ready(task)
  },
  started(task, readyMs) {
    first.started(task, readyMs)
    second.started(task, readyMs)
  },
  ended(task, outcome) {
    first.ended(task, outcome)
    second.ended(task, outcome)
  },
  saving(tasks) {
    first.saving(tasks)
    second.saving(tasks)
  },
  saved(tasks) {
    first.saved(tasks)
    second.saved(tasks)
  },
})
