/**
 * What the life of graphs comes to, told simply and once more: records, what they wait for, and how they end. Knows
 * nothing of slots, queues, commits or files. Each step is made at a moment at which nothing is under way but attempts.
 * @see docs/en/life-cycle.md
 */
import type { SubmittedTask } from '../../src/domain/task.ts'

export type State =
  | 'waiting'
  | 'delayed'
  | 'ready'
  | 'running'
  | 'backoff'
  | 'success'
  | 'failed'
  | 'skipped'
  /** Its record was gone before it was over, and the daemon was restarted: it never ends. */
  | 'lost'

/** A cause of a skip, as its error names it; `isBad` null where the contract leaves open whether it hurts the graph. */
interface Ended {
  readonly how: 'success' | 'allowed' | 'failed' | 'skipped' | 'deleted'
  readonly isBad: boolean | null
}

export interface ModelTask {
  readonly spec: SubmittedTask
  readonly graph: ModelGraph
  readonly runAtMs: number
  state: State
  /** What it waits for, by id: a task, or how that ended. */
  waits: Map<string, ModelTask | Ended>
  /** An attempt began since the start of the daemon, or since it was run again. */
  hasBegun: boolean
  /** Attempts that began ever. After a crash the last one's number may be given again. */
  attempts: number
  mayRepeatNumber: boolean
  /** Attempts that failed: exactly so many, or after a restart at least and at most. */
  failures: readonly [least: number, most: number]
  isCancelled: boolean
  isBad: boolean | null
  /** What its error may be. */
  errors: readonly string[]
  /** Deleted or replaced: nobody can ask for it. */
  isGone: boolean
  /** Its end counts in its graph, but a restart may have forgotten how it ended. */
  isForgotten: boolean
}

export interface ModelGraph {
  readonly key: number
  readonly tasks: Map<string, ModelTask>
}

/** At least and at most so many. */
export type Range = readonly [least: number, most: number]

const NOT_NEEDED = 'no dependency failed'
const CANCELLED = 'context canceled'

export const isOver = ({ state }: ModelTask): boolean =>
  state === 'success' || state === 'failed' || state === 'skipped' || state === 'lost'

export class LifeModel {
  /** By id: the record that a client finds. */
  readonly records = new Map<string, ModelTask>()
  readonly graphs = new Map<number, ModelGraph>()
  nowMs: number
  /** Every task that is not over, records or not. */
  readonly #open = new Set<ModelTask>()

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  get open(): Iterable<ModelTask> {
    return this.#open
  }

  inState(state: State): ModelTask[] {
    return [...this.#open].filter((task) => task.state === state)
  }

  /** What the status of a record is. */
  static status(task: ModelTask): string {
    if (isOver(task)) return task.state
    return task.hasBegun ? 'running' : 'pending'
  }

  /** The tasks of these that a submission accepts: all, but those that exist and are ignored. */
  news(tasks: readonly SubmittedTask[], ignoresExisting: boolean): SubmittedTask[] {
    return tasks.filter(({ id }) => !ignoresExisting || !this.records.has(id))
  }

  accept(key: number, tasks: readonly SubmittedTask[]): void {
    const graph: ModelGraph = { key, tasks: new Map() }
    this.graphs.set(key, graph)
    const replaced: ModelTask[] = []
    for (const spec of tasks) {
      const old = this.records.get(spec.id)
      if (old !== undefined) {
        old.isGone = true
        replaced.push(old)
      }
      const task: ModelTask = {
        spec,
        graph,
        runAtMs: spec.delayMs > 0 ? this.nowMs + spec.delayMs : 0,
        state: 'waiting',
        waits: new Map(),
        hasBegun: false,
        attempts: 0,
        mayRepeatNumber: false,
        failures: [0, 0],
        isCancelled: false,
        isBad: false,
        errors: [],
        isGone: false,
        isForgotten: false,
      }
      graph.tasks.set(spec.id, task)
      this.records.set(spec.id, task)
      this.#open.add(task)
    }
    for (const task of graph.tasks.values()) this.#findDependencies(task)
    for (const task of replaced) this.#cancel(task)
    this.#settle()
  }

  /** An attempt began. */
  begin(task: ModelTask, attempt: number): void {
    task.state = 'running'
    task.hasBegun = true
    task.attempts = attempt
    task.mayRepeatNumber = false
  }

  succeed(task: ModelTask): void {
    this.#end(task, 'success', false, [])
    this.#settle()
  }

  /** Whether a failure of the task is followed by another attempt; null where a restart left that open. */
  willRetry(task: ModelTask): boolean | null {
    const [least, most] = task.failures
    if (most + 1 <= task.spec.retry) return true
    return least + 1 > task.spec.retry ? false : null
  }

  fail(task: ModelTask, message: string, isFollowed: boolean): void {
    const [least, most] = task.failures
    task.failures = [least + 1, Math.min(most + 1, isFollowed ? task.spec.retry : most + 1)]
    if (isFollowed) task.state = 'backoff'
    else this.#end(task, 'failed', !task.spec.allowFailure, [message])
    this.#settle()
  }

  /** Long enough for the longest wait between attempts. */
  pass(ms: number): void {
    this.nowMs += ms
    for (const task of this.#open) {
      if (task.state === 'backoff' || (task.state === 'delayed' && task.runAtMs <= this.nowMs))
        task.state = 'ready'
    }
  }

  cancel(task: ModelTask): void {
    this.#cancel(task)
    this.#settle()
  }

  cancelGraph(graph: ModelGraph): void {
    for (const task of graph.tasks.values()) this.#cancel(task)
    this.#settle()
  }

  recordsOf(graph: ModelGraph): ModelTask[] {
    return [...graph.tasks.values()].filter(({ isGone }) => !isGone)
  }

  isGraphOver(graph: ModelGraph): boolean {
    return [...graph.tasks.values()].every(isOver)
  }

  retryGraph(graph: ModelGraph): void {
    const again = this.recordsOf(graph).filter(({ state }) => state !== 'success')
    for (const task of again) {
      this.#again(task)
      task.failures = [0, 0]
      this.#open.add(task)
    }
    for (const task of again) this.#findDependencies(task)
    this.#settle()
  }

  remove(task: ModelTask): void {
    task.isGone = true
    this.records.delete(task.spec.id)
  }

  removeGraph(graph: ModelGraph): void {
    for (const task of this.recordsOf(graph)) this.remove(task)
    this.graphs.delete(graph.key)
  }

  /** The daemon ended, and began again on what was kept. */
  restart(isCrash: boolean): void {
    for (const graph of this.graphs.values()) {
      if (this.isGraphOver(graph)) continue
      for (const task of graph.tasks.values()) if (task.isGone) task.isForgotten = true
    }
    for (const task of this.#open) {
      if (task.isGone) {
        task.state = 'lost'
        this.#open.delete(task)
        continue
      }
      this.#again(task)
      task.failures = [0, task.failures[1]]
      task.mayRepeatNumber ||= isCrash && task.spec.type === 'noop'
    }
    for (const task of this.#open) this.#remember(task)
    this.#settle()
  }

  counts(graph: ModelGraph): Readonly<Record<'running' | 'success' | 'failed' | 'skipped' | 'bad', Range>> {
    const tasks = [...graph.tasks.values()]
    const certain = tasks.filter(({ isForgotten }) => !isForgotten)
    const forgotten = tasks.length - certain.length
    const rangeOf = (state: State): Range => {
      const least = certain.filter((task) => task.state === state).length
      return [least, least + forgotten]
    }
    const running = tasks.filter((task) => !isOver(task) && task.hasBegun).length
    const ended = certain.filter(isOver)
    const bad = ended.filter(({ isBad }) => isBad === true).length
    return {
      running: [running, running],
      success: rangeOf('success'),
      failed: rangeOf('failed'),
      skipped: rangeOf('skipped'),
      bad: [bad, bad + ended.filter(({ isBad }) => isBad === null).length + forgotten],
    }
  }

  overIn(graph: ModelGraph): number {
    return [...graph.tasks.values()].filter(isOver).length
  }

  #again(task: ModelTask): void {
    task.state = 'waiting'
    task.hasBegun = false
    task.isCancelled = false
    task.isBad = false
    task.errors = []
  }

  /** By their ids: those records that are there now. */
  #findDependencies(task: ModelTask): void {
    task.waits = new Map(
      task.spec.dependsOn.map((id): [string, ModelTask | Ended] => {
        const found = this.records.get(id)
        if (found === undefined) return [id, { how: 'deleted', isBad: true }]
        return [id, isOver(found) ? oldEnd(endOf(found)) : found]
      }),
    )
  }

  /** After a restart a task waits for what it waited for before, whatever became of its record. */
  #remember(task: ModelTask): void {
    for (const [id, waited] of task.waits) {
      if ('how' in waited) task.waits.set(id, oldEnd(waited))
      else if (isOver(waited)) task.waits.set(id, oldEnd(endOf(waited)))
    }
  }

  #cancel(task: ModelTask): void {
    if (isOver(task)) return
    task.isCancelled = true
    this.#end(task, 'failed', true, [CANCELLED])
  }

  #end(
    task: ModelTask,
    state: 'success' | 'failed' | 'skipped',
    isBad: boolean | null,
    errors: string[],
  ): void {
    task.state = state
    task.isBad = isBad
    task.errors = errors
    this.#open.delete(task)
  }

  /** What ended is told to those that wait for it, until nothing changes. */
  #settle(): void {
    let hasChanged = true
    while (hasChanged) {
      hasChanged = false
      for (const task of [...this.#open]) {
        if (task.state === 'waiting') hasChanged = this.#look(task) || hasChanged
      }
    }
  }

  /** Whether the task waits no longer. */
  #look(task: ModelTask): boolean {
    for (const [id, dependency] of task.waits) {
      if ('spec' in dependency && isOver(dependency)) task.waits.set(id, endOf(dependency))
    }
    const ends = [...task.waits].filter((entry): entry is [string, Ended] => 'how' in entry[1])
    const wrong = ends.filter(([, { how }]) => how === 'failed' || how === 'skipped' || how === 'deleted')
    const { runIf } = task.spec
    if (runIf === 'success' && wrong.length > 0) {
      const [first, ...others] = wrong.map(([, { isBad }]) => isBad)
      const isBad = others.every((other) => other === first) ? first! : null
      this.#end(
        task,
        'skipped',
        isBad,
        wrong.map(([id, { how }]) => `dependency ${id} ${how}`),
      )
    } else if (ends.length < task.waits.size) {
      return false
    } else if (runIf === 'failure' && ends.every(([, { how }]) => how === 'success')) {
      this.#end(task, 'skipped', false, [NOT_NEEDED])
    } else {
      task.state = task.runAtMs > this.nowMs ? 'delayed' : 'ready'
    }
    return true
  }
}

/** Whether an old skip hurt its own graph says nothing of another one. */
const oldEnd = (end: Ended): Ended =>
  end.how === 'skipped' && end.isBad !== true ? { ...end, isBad: null } : end

const endOf = (task: ModelTask): Ended => {
  if (task.state === 'lost') return { how: 'deleted', isBad: true }
  if (task.state === 'success') return { how: 'success', isBad: false }
  if (task.state === 'skipped') return { how: 'skipped', isBad: task.isBad }
  const isAllowed = task.spec.allowFailure && !task.isCancelled
  return isAllowed ? { how: 'allowed', isBad: false } : { how: 'failed', isBad: true }
}
