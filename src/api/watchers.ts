/** Who wants to hear of tasks: those that wait for them, those that watch them, and what learns from their ends. */
import { keyOfGraphId } from '../domain/graph-record.ts'
import type { Task } from '../domain/task.ts'
import type { Store, StoreEvents, StoreListener } from '../store/store.ts'
import { Events } from './events.ts'
import { ToolTimes } from './tool-times.ts'
import { Waiting, type WaitFor, type WaitingStore } from './waiting.ts'

export type WatchedStore = WaitingStore & StoreEvents & Pick<Store, 'listen' | 'unfinished'>

/** Of a large graph, so many of those that are not over say when to ask again. */
const ASKED_OF_GRAPH = 100

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

  /** As {@link retryAfterS}, for when all of them may be over, or any. */
  async retryAfterSOf({ taskIds, graphId, mode }: Omit<WaitFor, 'timeoutMs'>): Promise<number> {
    let seconds = 0
    for (const task of taskIds === null ? await this.#someOf(graphId) : taskIds) {
      const wanted = typeof task === 'string' ? this.#store.unfinished(task) : task
      if (wanted === null) continue
      const next = this.#toolTimes.retryAfterS(wanted)
      seconds = seconds === 0 ? next : Math[mode === 'all' ? 'max' : 'min'](seconds, next)
    }
    return seconds
  }

  async #someOf(graphId: string): Promise<readonly Task[]> {
    const graph = await this.#store.graph(keyOfGraphId(graphId))
    const some: Task[] = []
    if (graph === null) return some
    for (const task of this.#store.unfinishedOf(graph)) if (some.push(task) === ASKED_OF_GRAPH) break
    return some
  }

  /** Answers all that wait, and ends all that watch. */
  stop(): void {
    this.waiting.stop()
    this.events.stop()
  }
}
