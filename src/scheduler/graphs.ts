/** What can be asked for a graph that is over: to run again what went wrong, and to go. @see contract B2 */
import type { DependencyEnd } from '../domain/dependency.ts'
import { type Result, graphNotFound, ok, refused } from '../domain/errors.ts'
import { type Graph, graphIdOf, graphStatus } from '../domain/graph-record.ts'
import { isOver } from '../domain/lifecycle.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Task } from '../domain/task.ts'
import { recordEnd, recordStatus, unfinishedTask } from '../domain/task-from-json.ts'
import type { Recovered, Store } from '../store/store.ts'
import { tooManyUnfinished } from './limits.ts'
import type { Lives } from './lives.ts'
import { reasonOf } from './outbox.ts'
import { relink } from './recover.ts'
import { Slices } from './slices.ts'
import { noteOutside } from './submit.ts'

export interface GraphsOptions {
  readonly store: Store
  readonly lives: Lives
  readonly nowMs: () => number
  /** Tasks that may be accepted and not over. */
  readonly maxUnfinished: number
}

export class Graphs {
  readonly #options: GraphsOptions
  /** Being changed: whoever comes second is refused. */
  readonly #busy = new Set<number>()

  constructor(options: GraphsOptions) {
    this.#options = options
  }

  /** Lets failed and skipped tasks run again. */
  retry(key: number): Promise<Result<Graph>> {
    return this.#change(key, (graph) => this.#retry(graph))
  }

  /** Removes the records of a graph and of its tasks. */
  remove(key: number): Promise<Result<Graph>> {
    return this.#change(key, async (graph) => {
      await this.#options.store.commit({ removedGraphs: [key] }, 'sync')
      return ok(graph)
    })
  }

  async #change(key: number, change: (graph: Graph) => Promise<Result<Graph>>): Promise<Result<Graph>> {
    const id = graphIdOf(key)
    const graph = await this.#options.store.graph(key)
    if (graph === null) return graphNotFound(id)
    const status = graphStatus(graph)
    if ((status !== 'success' && status !== 'failed') || graph.unfinished > 0 || this.#busy.has(key))
      return refused('conflict', `graph ${id} is not over`)
    this.#busy.add(key)
    try {
      return await change(graph)
    } catch (error) {
      return refused('unavailable', `graph ${id} could not be changed: ${reasonOf(error)}`)
    } finally {
      this.#busy.delete(key)
    }
  }

  async #retry(graph: Graph): Promise<Result<Graph>> {
    const { store, lives } = this.#options
    const slices = new Slices()
    const { tasks, succeeded } = await this.#outcomes(graph, slices)
    if (tasks.length === 0) return ok(graph)
    const { recovered, others } = await this.#withDependencies(tasks, succeeded, slices)
    if (lives.isStopping) throw new Error('the daemon is shutting down')
    if (lives.unfinished + lives.beingKept + tasks.length > this.#options.maxUnfinished)
      return refused(
        'overloaded',
        tooManyUnfinished(lives.unfinished, tasks.length, this.#options.maxUnfinished),
      )
    const { finishedMs } = graph
    for (const task of tasks) lives.apply(task, 'revive')
    graph.unfinished = tasks.length
    graph.finishedMs = 0
    lives.beingKept += tasks.length
    try {
      await store.commit({ revived: tasks }, graph.isRelaxed ? 'relaxed' : 'sync')
    } catch (error) {
      graph.unfinished = 0
      graph.finishedMs = finishedMs
      throw error
    } finally {
      lives.beingKept -= tasks.length
    }
    // Records that were removed meanwhile were passed over; what was cancelled or replaced is over, and counted.
    const kept = recovered.filter(({ task }) => isOver(task.phase) || store.unfinished(task.id) === task)
    graph.unfinished -= tasks.length - kept.length
    for (const { task, settled } of relink(kept, (id) => others.get(id) ?? null)) {
      lives.resume(task)
      for (const [id, end] of settled) lives.dependencyOver(task, id, end, true)
    }
    lives.settle()
    return ok(graph)
  }

  /** The graph's tasks that did not succeed, as they are before they run, and the ids of those that did. */
  async #outcomes(graph: Graph, slices: Slices): Promise<{ tasks: Task[]; succeeded: Set<string> }> {
    const tasks: Task[] = []
    const succeeded = new Set<string>()
    for await (const { key, json } of this.#options.store.finishedOf(graph)) {
      await slices.next()
      const record = JSON.parse(json) as JsonObject & { id: string }
      const status = recordStatus(record)
      if (status !== 'failed' && status !== 'skipped') {
        succeeded.add(record.id)
        continue
      }
      const task = unfinishedTask(record.id, record, key, this.#options.nowMs(), graph)
      task.phase = status
      tasks.push(task)
    }
    return { tasks, succeeded }
  }

  /** What they depend on that does not run again with them: how it ended, or the task of another graph. */
  async #withDependencies(
    tasks: readonly Task[],
    succeeded: ReadonlySet<string>,
    slices: Slices,
  ): Promise<{ recovered: Recovered[]; others: Map<string, Task> }> {
    const ids = new Set(tasks.map((task) => task.id))
    const others = new Map<string, Task>()
    const recovered: Recovered[] = []
    for (const task of tasks) {
      await slices.next()
      const settledDependencies = new Map<string, DependencyEnd>()
      for (const id of task.dependsOn) {
        if (ids.has(id)) continue
        const found = succeeded.has(id) ? 'success' : (others.get(id) ?? (await this.#find(id)))
        noteOutside(task, id, found)
        if (typeof found === 'string') settledDependencies.set(id, found)
        else others.set(id, found)
      }
      recovered.push({ task, settledDependencies })
    }
    return { recovered, others }
  }

  /** The task that has this id now, or how it ended. */
  async #find(id: string): Promise<Task | DependencyEnd> {
    const { store } = this.#options
    const task = store.unfinished(id)
    if (task !== null) return task
    const json = await store.get(id)
    return json === null ? 'deleted' : recordEnd(json)
  }
}
