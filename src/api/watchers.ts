/** Who wants to hear of tasks: those that wait for them, those that watch them, and what learns from their ends. */
import type { Task } from '../domain/task.ts'
import type { Store, StoreEvents, StoreListener } from '../store/store.ts'
import { Events } from './events.ts'
import { ToolTimes } from './tool-times.ts'
import { Waiting, type WaitingStore } from './waiting.ts'

export type WatchedStore = WaitingStore & StoreEvents & Pick<Store, 'listen' | 'unfinished'>

export class Watchers implements StoreListener {
  readonly waiting: Waiting
  readonly events: Events
  readonly #toolTimes = new ToolTimes()
  readonly #store: WatchedStore

  constructor(store: WatchedStore) {
    this.#store = store
    this.waiting = new Waiting(store)
    this.events = new Events(store)
    store.listen(this)
  }

  onOver(tasks: readonly Task[]): void {
    this.#toolTimes.onOver(tasks)
    this.waiting.onOver(tasks)
  }

  onEvents(): void {
    this.events.onEvents()
  }

  /** Seconds after which it is worth asking for a task again; 0 for one that is over, or not there. */
  retryAfterS(id: string): number {
    const task = this.#store.unfinished(id)
    return task === null ? 0 : this.#toolTimes.retryAfterS(task)
  }

  /** Answers all that wait, and ends all that watch. */
  stop(): void {
    this.waiting.stop()
    this.events.stop()
  }
}
