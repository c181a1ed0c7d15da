/**
 * Tasks that take the place of others whose attempts still run: each begins when that attempt, which is being stopped,
 * has ended. The two are never under way together, and the wait is bounded by the grace of the stop.
 */
import { isOver } from '../domain/lifecycle.ts'
import type { Task } from '../domain/task.ts'

export class Successors {
  /** By id: the task whose attempt is being stopped, and the one that waits for its end. */
  readonly #leaving = new Map<string, { readonly task: Task; next: Task | null }>()

  /** `task` was replaced, and runs still. */
  leave(task: Task): void {
    if (this.#leaving.get(task.id)?.task !== task) this.#leaving.set(task.id, { task, next: null })
  }

  /** Lets a task that begins its life wait, where one of its id is still leaving: for it as for a dependency more. */
  hold(task: Task): void {
    if (this.#leaving.size === 0) return
    const leaving = this.#leaving.get(task.id)
    // One that was cancelled while it was being kept stays as it is.
    if (leaving === undefined || isOver(task.phase)) return
    // One that waited before was replaced itself by now.
    leaving.next = task
    task.phase = 'blocked'
    task.waitingFor++
  }

  /** `task` is over: the one that waited for its end, `null` for none. */
  nextOf(task: Task): Task | null {
    if (this.#leaving.size === 0) return null
    const leaving = this.#leaving.get(task.id)
    if (leaving === undefined || leaving.task !== task) return null
    this.#leaving.delete(task.id)
    return leaving.next
  }
}
