/**
 * Clients that wait for tasks and graphs to be over. A waiter subscribes before it reads the state, so that nothing that
 * ends in between passes it by; the store tells what it keeps, and only those that wait for it are looked at.
 *
 * ```
 * wait ─► subscribe ─► read: over? ─► answer
 *              ▲            │ no
 *   onOver ────┘            └─► told, time over, client gone, or a stop ─► read again ─► answer
 * ```
 */
import { type Result, graphNotFound, ok, taskNotFound } from '../domain/errors.ts'
import { type Graph, graphStatus, keyOfGraphId } from '../domain/graph-record.ts'
import type { Task } from '../domain/task.ts'
import type { Store, TaskPage } from '../store/store.ts'
import { type GraphView, graphView } from './graph-view.ts'
import { Slices } from './turns.ts'

/** What waiting needs of the store; it reads alone. */
export type WaitingStore = Pick<Store, 'get' | 'has' | 'graph' | 'page' | 'unfinished' | 'unfinishedOf'>

/** Whom `POST /tasks/wait` waits for. */
export interface WaitFor {
  /** Of one and the same kind: ids, each once, or all tasks of a graph. */
  readonly taskIds: readonly string[] | null
  readonly graphId: string
  readonly mode: 'all' | 'any'
  readonly timeoutMs: number
}

export interface Waited {
  /** Whether what was waited for has come. */
  readonly done: boolean
  /**
   * The JSON texts of the tasks, in the order of the request, or of the graph. Each is read when it is asked for, as it is
   * then: together they may be larger than the memory. One that is removed before that is left out.
   */
  readonly tasks: AsyncIterable<string>
}

/** Told that a task which it waits for is over, or gone: looks again. */
type Look = (id: string) => void

/** @param news the tasks that are over or gone since the last look; `null` at the first one */
type IsDone = (news: ReadonlySet<string> | null) => Promise<boolean>

export class Waiting {
  readonly #store: WaitingStore
  readonly #byTask = new Map<string, Set<Look>>()
  readonly #byGraph = new Map<number, Set<Look>>()
  /** Ends each wait under way. */
  readonly #ends = new Set<() => void>()
  #isStopped = false

  constructor(store: WaitingStore) {
    this.#store = store
  }

  /** Nobody waits any more. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** How many wait. */
  get waiters(): number {
    return this.#ends.size
  }

  /** The store has kept these as over. Costs nothing where nobody waits. */
  onOver(tasks: readonly Task[]): void {
    if (this.#ends.size === 0) return
    for (const { id, graph } of tasks) {
      for (const look of this.#byTask.get(id) ?? NONE) look(id)
      for (const look of this.#byGraph.get(graph.key) ?? NONE) look(id)
    }
  }

  /** A task's record is gone: nobody need wait for it. */
  onRemoved(id: string): void {
    for (const look of this.#byTask.get(id) ?? NONE) look(id)
  }

  /** Answers those that wait as it is now, and all that come later at once. */
  stop(): void {
    this.#isStopped = true
    for (const end of this.#ends) end()
  }

  /** The task's JSON text when it is over, or at the end of `timeoutMs`. */
  async task(id: string, timeoutMs: number, gone: AbortSignal): Promise<Result<string>> {
    const isDone: IsDone = async () => this.#isOver(id)
    await this.#until({ taskIds: [id], graphKey: -1, timeoutMs, gone }, isDone)
    const json = await this.#store.get(id)
    return json === null ? taskNotFound(id) : ok(json)
  }

  async graph(id: string, timeoutMs: number, gone: AbortSignal): Promise<Result<GraphView>> {
    const graphKey = keyOfGraphId(id)
    const isDone = async (): Promise<boolean> => isGraphOver(await this.#store.graph(graphKey))
    await this.#until({ taskIds: [], graphKey, timeoutMs, gone }, isDone)
    const graph = await this.#store.graph(graphKey)
    return graph === null ? graphNotFound(id) : ok(graphView(graph))
  }

  async tasks(wanted: WaitFor, gone: AbortSignal): Promise<Result<Waited>> {
    return wanted.taskIds === null
      ? this.#graphTasks(wanted, gone)
      : this.#namedTasks(wanted.taskIds, wanted, gone)
  }

  async #graphTasks({ graphId, mode, timeoutMs }: WaitFor, gone: AbortSignal): Promise<Result<Waited>> {
    const graphKey = keyOfGraphId(graphId)
    const isDone = async (): Promise<boolean> => {
      const graph = await this.#store.graph(graphKey)
      return isGraphOver(graph) || (mode === 'any' && hasEnded(graph!))
    }
    const done = await this.#until({ taskIds: [], graphKey, timeoutMs, gone }, isDone)
    const graph = await this.#store.graph(graphKey)
    if (graph === null) return graphNotFound(graphId)
    return ok({ done, tasks: this.#textsOfGraph(graphKey) })
  }

  async #namedTasks(
    taskIds: readonly string[],
    { mode, timeoutMs }: WaitFor,
    gone: AbortSignal,
  ): Promise<Result<Waited>> {
    const unknown = await this.#firstOf(taskIds, false)
    if (unknown !== null) return taskNotFound(unknown)
    const left = new Set(taskIds)
    const isDone: IsDone = async (news) => {
      for (const id of news ?? taskIds) {
        if (!this.#isOver(id)) continue
        left.delete(id)
        if (mode === 'any' && (await this.#store.has(id))) return true
      }
      return left.size === 0
    }
    const done = await this.#until({ taskIds, graphKey: -1, timeoutMs, gone }, isDone)
    // All were removed meanwhile.
    if ((await this.#firstOf(taskIds, true)) === null) return taskNotFound(taskIds[0]!)
    return ok({ done, tasks: this.#textsOf(taskIds) })
  }

  /** The first id that there is a task of, or that there is none of; `null` where no id is such. */
  async #firstOf(taskIds: readonly string[], isThere: boolean): Promise<string | null> {
    const slices = new Slices()
    for (const id of taskIds) {
      if ((this.#store.unfinished(id) !== null || (await this.#store.has(id))) === isThere) return id
      await slices.next()
    }
    return null
  }

  async *#textsOf(taskIds: readonly string[]): AsyncIterable<string> {
    for (const id of taskIds) {
      const json = await this.#store.get(id)
      if (json !== null) yield json
    }
  }

  /** By their keys, which stay as they are while tasks end or are run again: none is missed, none comes twice. */
  async *#textsOfGraph(graph: number): AsyncIterable<string> {
    for (let afterKey: number | null = null; ; ) {
      const page: TaskPage = await this.#store.page({ ...EVERY_TASK, graph, afterKey })
      yield* page.tasks
      afterKey = page.nextAfter
      if (afterKey === null) return
    }
  }

  /** Over, as GET shows it, or not there: nothing is read for it. */
  #isOver(id: string): boolean {
    return this.#store.unfinished(id) === null
  }

  /** Resolves to whether `isDone` came to hold; leaves nothing behind. */
  async #until({ taskIds, graphKey, timeoutMs, gone }: Wanted, isDone: IsDone): Promise<boolean> {
    let wake = (): void => {}
    let isOverNow = this.#isStopped || timeoutMs <= 0 || gone.aborted
    let news = new Set<string>()
    const look: Look = (id) => {
      news.add(id)
      // Others of the same commit are told in this turn too.
      if (news.size === 1) setImmediate(wakeUp)
    }
    const wakeUp = (): void => wake()
    const end = (): void => {
      isOverNow = true
      wake()
    }
    for (const id of taskIds) subscribe(this.#byTask, id, look)
    if (graphKey >= 0) subscribe(this.#byGraph, graphKey, look)
    this.#ends.add(end)
    const timer = timeoutMs > 0 ? setTimeout(end, timeoutMs) : null
    gone.addEventListener('abort', end)
    try {
      if (await isDone(null)) return true
      while (!isOverNow) {
        if (news.size === 0) await new Promise<void>((resolve) => (wake = resolve))
        if (news.size === 0) continue
        const those = news
        news = new Set()
        if (await isDone(those)) return true
      }
      return false
    } finally {
      if (timer !== null) clearTimeout(timer)
      gone.removeEventListener('abort', end)
      this.#ends.delete(end)
      for (const id of taskIds) unsubscribe(this.#byTask, id, look)
      if (graphKey >= 0) unsubscribe(this.#byGraph, graphKey, look)
    }
  }
}

interface Wanted {
  readonly taskIds: readonly string[]
  /** -1 for none. */
  readonly graphKey: number
  readonly timeoutMs: number
  readonly gone: AbortSignal
}

const NONE: readonly Look[] = []

/** Of a graph, a few at a time: a reader that is slow holds no more than these. */
const EVERY_TASK = {
  status: null,
  type: null,
  tool: '',
  prefix: '',
  isNewestFirst: false,
  limit: 16,
} as const

/** A graph that is not there is waited for by nobody. */
const isGraphOver = (graph: Graph | null): boolean => {
  const status = graph === null ? 'failed' : graphStatus(graph)
  return status === 'success' || status === 'failed'
}

const hasEnded = ({ counts }: Graph): boolean => counts.success + counts.failed + counts.skipped > 0

const subscribe = <K>(waiters: Map<K, Set<Look>>, key: K, look: Look): void => {
  const those = waiters.get(key)
  if (those === undefined) waiters.set(key, new Set([look]))
  else those.add(look)
}

const unsubscribe = <K>(waiters: Map<K, Set<Look>>, key: K, look: Look): void => {
  const those = waiters.get(key)
  those?.delete(look)
  if (those?.size === 0) waiters.delete(key)
}
