/** A line in the log for each task whose outcome was kept, for `EXECGO_LOG_LEVEL=debug`. */
import type { Task } from '../domain/task.ts'
import { type Log, namesOf } from '../scheduler/log.ts'
import type { Observer } from '../scheduler/observer.ts'

export class TaskLog implements Observer {
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  ready(): void {}
  started(): void {}
  ended(): void {}
  saving(): void {}

  saved(tasks: readonly Task[]): void {
    for (const task of tasks) {
      const error = task.error === '' ? {} : { error: task.error }
      this.#log.debug({ ...namesOf(task), status: task.phase, ...error }, 'a task is over')
    }
  }
}
