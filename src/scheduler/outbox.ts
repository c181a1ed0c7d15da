/**
 * What happened and is not kept yet, on its way to the store: one commit at a time, in the order in which it happened.
 * What ends meanwhile goes with the next one. A commit that fails is tried again with all that came since.
 *
 * ```
 * ended ──► flush ─► commit ──kept──► told to who waits; more? flush
 *             ▲         └──failed──► back to the front, again after a second, or with the next
 * started ────┘ (with the next commit, or by itself a moment later)
 * ```
 *
 * The number of an attempt that may have effects is noted before it begins, so that no crash gives it again.
 */
import { isOver } from '../domain/lifecycle.ts'
import type { Task } from '../domain/task.ts'
import type { TaskNote } from '../store/events.ts'
import { NotSyncedError, type Store } from '../store/store.ts'
import type { Log } from './log.ts'
import { NO_OBSERVER, type Observer } from './observer.ts'
import type { Timer, Timers } from './timers.ts'

/** A commit that failed is tried again after this long at the latest. */
const AGAIN_AFTER_MS = 1000

/** What began is committed after this long: most of it is over by then, and needs no record of its own. */
const COMMIT_STARTED_AFTER_MS = 10

/** Beyond so many notes that wait for a commit, those that can be missed are. */
const MOST_NOTES = 10_000

/** What an attempt of these does is not seen outside of the daemon, so that its number may be given again. */
const WITHOUT_EFFECTS: ReadonlySet<string> = new Set(['noop', 'sleep'])

/** Outcomes that come one after another share a commit, as long as more are to be expected. */
export interface Gathering {
  /** Commits of outcomes are this far apart then; 0 for no such thing. */
  readonly gatherMs: number
  /** Whether attempts are under way. */
  readonly isBusy: () => boolean
  readonly monotonicMs: () => number
}

/** Told what came of the commit: `''`, or why it was not kept. */
type Waiter = (reason: string) => void

export class Outbox {
  readonly #store: Store
  readonly #timers: Timers
  readonly #log: Log
  readonly #gathering: Gathering
  readonly #observer: Observer
  #ended: Task[] = []
  #started: Task[] = []
  /** To be told as events. */
  #notes: TaskNote[] = []
  #waiters: Waiter[] = []
  #underWay: Promise<void> | null = null
  #timer: Timer | null = null
  #hasFailed = false
  #lastCommitMs = Number.NEGATIVE_INFINITY
  /** Commits what is gathered. */
  #gathered: Timer | null = null
  /** About to begin, and with effects. */
  #unnoted: Task[] = []

  constructor(
    store: Store,
    timers: Timers,
    log: Log,
    gathering: Gathering,
    observer: Observer = NO_OBSERVER,
  ) {
    this.#store = store
    this.#timers = timers
    this.#log = log
    this.#gathering = gathering
    this.#observer = observer
  }

  /** Tasks that are over and not handed over. */
  get size(): number {
    return this.#ended.length
  }

  addEnded(task: Task): void {
    this.#ended.push(task)
  }

  addStarted(task: Task): void {
    this.#started.push(task)
    if (!WITHOUT_EFFECTS.has(task.toolName)) this.#unnoted.push(task)
    this.#soon()
  }

  /** Something of a task that clients may be told when it is kept. */
  addNote(task: Task, type: TaskNote['type'], message: string): void {
    // They would grow without bound while nothing can be kept, or where a tool tells of progress all the time.
    const mayDrop = this.#hasFailed || type === 'task_progressed'
    if (mayDrop && this.#notes.length >= MOST_NOTES) return
    const { updatedMs: atMs, attempt } = task
    this.#notes.push({ type, task, atMs, attempt, message, after: this.#ended.length })
    this.#soon()
  }

  #soon(): void {
    if (!this.#hasFailed) this.#timer ??= this.#timers.add(COMMIT_STARTED_AFTER_MS, () => this.#onTime())
  }

  /** Notes what is about to begin. */
  noteStarts(): void {
    if (this.#unnoted.length === 0) return
    this.#store.noteStarts(this.#unnoted)
    this.#unnoted = []
  }

  /** Hands over what ended, where something did. */
  flush(): void {
    // While writing fails only the timer tries again: each try writes all that came since.
    if (this.#underWay !== null || (this.#hasFailed && this.#timer !== null)) return
    if (this.#ended.length === 0) return
    const { gatherMs, isBusy, monotonicMs } = this.#gathering
    const waitMs = gatherMs > 0 && isBusy() ? this.#lastCommitMs + gatherMs - monotonicMs() : 0
    if (waitMs <= 0 || this.#waiters.length > 0) this.#commit()
    else this.#gathered ??= this.#timers.add(waitMs, () => this.#onGathered())
  }

  #onGathered(): void {
    this.#gathered = null
    if (this.#underWay === null && this.#ended.length > 0 && !this.#hasFailed) this.#commit()
  }

  /** Resolves once what ended so far is kept, to `''`; or to the reason why it is not. */
  async kept(): Promise<string> {
    if (this.#ended.length === 0) {
      await this.#underWay
      if (this.#ended.length === 0) return ''
    }
    const kept = new Promise<string>((resolve) => this.#waiters.push(resolve))
    this.flush()
    return kept
  }

  /** Hands over what is left, for the last time. */
  async stop(): Promise<void> {
    while (this.#underWay !== null) await this.#underWay
    if (this.#ended.length + this.#started.length + this.#notes.length === 0) return
    this.#commit()
    await this.#underWay
    if (this.#ended.length > 0)
      this.#log.error(
        { tasks: this.#ended.length },
        'outcomes are lost: their tasks run again at the next start',
      )
  }

  #onTime(): void {
    this.#timer = null
    // What is under way takes the rest along when it is kept.
    if (this.#underWay === null) this.#commit()
  }

  #commit(): void {
    const ended = this.#ended
    const waiters = this.#waiters
    const started = this.#started.filter((task) => !isOver(task.phase))
    this.#ended = []
    this.#waiters = []
    this.#started = []
    const notes = this.#notes
    this.#notes = []
    if (this.#timer !== null) this.#timers.remove(this.#timer)
    this.#timer = null
    if (this.#gathered !== null) this.#timers.remove(this.#gathered)
    this.#gathered = null
    if (ended.length > 0) this.#lastCommitMs = this.#gathering.monotonicMs()
    if (ended.length + started.length + notes.length === 0) return
    const durability = ended.every((task) => task.graph.isRelaxed) ? 'relaxed' : 'sync'
    this.#observer.saving(ended)
    this.#underWay = this.#store
      .commit(notes.length > 0 ? { ended, started, notes } : { ended, started }, durability)
      .then(
        () => {
          this.#underWay = null
          if (this.#hasFailed) this.#log.info({ tasks: ended.length }, 'outcomes are kept again')
          this.#hasFailed = false
          this.#observer.saved(ended)
          for (const waiter of waiters) waiter('')
          this.flush()
        },
        (error: unknown) => {
          this.#underWay = null
          this.#ended = ended.concat(this.#ended)
          this.#started = started.concat(this.#started)
          // Those that were written would be told twice.
          const again = error instanceof NotSyncedError ? [] : notes
          const later = this.#notes.map((note) => ({ ...note, after: note.after + ended.length }))
          this.#notes = again.concat(later)
          if (!this.#hasFailed)
            this.#log.error({ err: error, tasks: ended.length }, 'outcomes could not be kept')
          this.#hasFailed = true
          for (const waiter of waiters) waiter(reasonOf(error))
          if (this.#timer !== null) this.#timers.remove(this.#timer)
          this.#timer = this.#timers.add(AGAIN_AFTER_MS, () => this.#onTime())
        },
      )
  }
}

/** An error in words. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
