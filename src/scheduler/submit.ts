/**
 * Takes graphs on: decides what becomes of ids that exist already, has the graph kept, and lets its tasks begin.
 * @see contract B2, `on_conflict`
 */
import { type DependencyEnd, endOf } from '../domain/dependency.ts'
import { type Result, ok, refused } from '../domain/errors.ts'
import type { GraphPlan } from '../domain/graph.ts'
import type { Graph } from '../domain/graph-record.ts'
import { isOver } from '../domain/lifecycle.ts'
import type { Task } from '../domain/task.ts'
import { recordEnd } from '../domain/task-from-json.ts'
import type { FirstAnswer, Store } from '../store/store.ts'
import { type Keys, acceptPlan } from './accept.ts'
import { tooManyUnfinished } from './limits.ts'
import type { Lives } from './lives.ts'
import type { Log } from './log.ts'
import { reasonOf } from './outbox.ts'
import { Slices } from './slices.ts'

/** What becomes of ids that exist already: their records are replaced, the graph is refused, or they stay as they are. */
export const ON_CONFLICTS = ['replace', 'reject', 'ignore'] as const
export type OnConflict = (typeof ON_CONFLICTS)[number]

export interface Submission {
  readonly plan: GraphPlan
  readonly onConflict: OnConflict
  readonly isRelaxed: boolean
  /** `''` for none. */
  readonly traceparent?: string
  /** What is kept with the graph for a submission that comes again. */
  readonly firstAnswer?: (accepted: Accepted) => FirstAnswer
}

export interface Accepted {
  /** `null` where every id existed already, and was left alone. */
  readonly graph: Graph | null
  /** The new ones, in their order. */
  readonly tasks: readonly Task[]
}

/** Ids that exist already and stay: the task where it is not over, else how it ended. */
type Existing = ReadonlyMap<string, Task | DependencyEnd>

const NOTHING: Existing = new Map()
const MAX_NAMED = 10
/** Tasks of a small graph. */
const FEW = 10

export interface SubmissionsOptions {
  readonly store: Store
  readonly lives: Lives
  /** Tasks that may be accepted and not over. */
  readonly maxUnfinished: number
  readonly graceMs: number
  readonly nowMs: () => number
  readonly log: Log
}

export class Submissions {
  readonly #options: SubmissionsOptions
  readonly #keys: Keys
  /** Those that look at what exists do so one after another. */
  #lastLook: Promise<unknown> = Promise.resolve()
  /** What others submit while a look is under way, by id. */
  #acceptedSince: Map<string, Task> | null = null

  constructor(options: SubmissionsOptions, keys: Keys) {
    this.#options = options
    this.#keys = keys
  }

  /** Accepts a graph: when this resolves, it is kept, and will run. */
  submit(submission: Submission): Promise<Result<Accepted>> {
    if (submission.onConflict === 'replace') return this.#accept(submission, NOTHING)
    const accepted = this.#lastLook.then(() => this.#look(submission))
    this.#lastLook = accepted.catch(() => {})
    return accepted
  }

  async #look(submission: Submission): Promise<Result<Accepted>> {
    const existing = await this.#existing(submission.plan)
    if (existing.size === 0 || submission.onConflict === 'ignore') return this.#accept(submission, existing)
    const ids = [...existing.keys()]
    const named = ids.slice(0, MAX_NAMED).join(', ')
    const rest = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : ''
    return refused('conflict', `task ids exist already: ${named}${rest} (on_conflict is "reject")`)
  }

  async #existing({ tasks }: GraphPlan): Promise<Existing> {
    const { store } = this.#options
    const slices = new Slices()
    const ids = new Set<string>()
    const existing = new Map<string, Task | DependencyEnd>()
    const since = new Map<string, Task>()
    this.#acceptedSince = since
    try {
      for (const { id } of tasks) {
        await slices.next()
        ids.add(id)
        const task = store.unfinished(id)
        const json = task === null ? await store.get(id) : null
        if (task !== null) existing.set(id, task)
        else if (json !== null) existing.set(id, recordEnd(json))
      }
    } finally {
      this.#acceptedSince = null
    }
    for (const [id, task] of since) if (ids.has(id)) existing.set(id, task)
    return existing
  }

  async #accept(submission: Submission, existing: Existing): Promise<Result<Accepted>> {
    const { store, lives, graceMs, nowMs, log } = this.#options
    if (lives.isStopping)
      return refused('unavailable', 'the daemon is shutting down: submit again after its restart')
    const { plan, isRelaxed, traceparent } = submission
    if (existing.size === plan.tasks.length) return this.#acceptNothing(submission)
    const count = plan.tasks.length - existing.size
    if (lives.unfinished + lives.beingKept + count > this.#options.maxUnfinished) return this.#full(count)
    const { graph, tasks, outside } = acceptPlan(plan, this.#keys, nowMs(), isRelaxed, existing, traceparent)
    for (const { task, id } of outside) noteOutside(task, id, existing.get(id)!)
    const replaced: Task[] = []
    const accepted = { graph, tasks, replaced }
    lives.beingKept += count
    for (const task of tasks) this.#acceptedSince?.set(task.id, task)
    try {
      const answer = answerTo(submission, accepted)
      await store.commit(
        answer === null ? { accepted } : { accepted, ...answer },
        isRelaxed ? 'relaxed' : 'sync',
      )
    } catch (error) {
      // One that took the place of these finds nothing to cancel.
      for (const task of tasks) {
        // It was cancelled meanwhile, and counted as one less.
        if (isOver(task.phase)) lives.unfinished++
        task.phase = 'failed'
        task.isBad = true
        if (this.#acceptedSince?.get(task.id) === task) this.#acceptedSince.delete(task.id)
      }
      // What a later submission replaced too has no record any more.
      for (const task of replaced) if (store.unfinished(task.id) !== task) lives.replace(task, graceMs)
      log.error({ err: error, tasks: tasks.length }, 'a graph could not be kept')
      return notKept(error)
    } finally {
      lives.beingKept -= count
    }
    for (const task of replaced) lives.replace(task, graceMs)
    for (const task of tasks) lives.begin(task)
    for (const { task, id } of outside) this.#waitFor(task, id, existing.get(id)!)
    if (replaced.length + outside.length > 0) lives.settle()
    else lives.dispatcher.wake()
    // Answered at once, who submits much would submit more before any of it runs.
    if (isRelaxed && count > FEW) await new Promise(setImmediate)
    return ok(accepted)
  }

  #full(count: number): Result<Accepted> {
    const { lives, maxUnfinished } = this.#options
    return refused('overloaded', tooManyUnfinished(lives.unfinished, count, maxUnfinished))
  }

  /** Every id exists already, and stays: what is kept is the answer alone, where it is to be given again. */
  async #acceptNothing(submission: Submission): Promise<Result<Accepted>> {
    const accepted = { graph: null, tasks: [] }
    const answer = answerTo(submission, accepted)
    if (answer === null) return ok(accepted)
    try {
      await this.#options.store.commit(answer, submission.isRelaxed ? 'relaxed' : 'sync')
      return ok(accepted)
    } catch (error) {
      return notKept(error)
    }
  }

  /** `task` depends on one of another graph. */
  #waitFor(task: Task, id: string, dependency: Task | DependencyEnd): void {
    const { lives } = this.#options
    if (typeof dependency === 'string') lives.dependencyOver(task, id, dependency, true)
    else if (isOver(dependency.phase)) lives.dependencyOver(task, id, endOf(dependency), dependency.isBad)
    else if (dependency.dependents === null) dependency.dependents = [task]
    else dependency.dependents.push(task)
  }
}

/** Notes what a task depends on that is none of its graph's: over where its end is kept, else by its key. */
export const noteOutside = (task: Task, id: string, dependency: Task | DependencyEnd): void => {
  task.outside ??= new Map()
  task.outside.set(id, typeof dependency === 'string' ? dependency : dependency.key)
}

const answerTo = ({ firstAnswer }: Submission, accepted: Accepted): { firstAnswer: FirstAnswer } | null =>
  firstAnswer === undefined ? null : { firstAnswer: firstAnswer(accepted) }

const notKept = (error: unknown) => refused('unavailable', `the graph could not be kept: ${reasonOf(error)}`)
