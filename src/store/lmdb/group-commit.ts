/**
 * Many commits share one write and one sync: what comes while a group is on its way waits for the next one; a lone
 * commit waits for nobody.
 *
 * ```
 * add ─► waiting ─► write (one record) ─► committed ─► synced ─► resolve, where someone wants the sync
 *           ▲                                  │           │
 *           └────────── the next group ◄───────┼───────────┘
 *                                              └─► resolve, where all of the group are relaxed
 * ```
 *
 * Groups resolve in the order in which they were written, so that nobody is told of a later one first. What was told
 * before it was written is in no hurry: it goes with the next group that somebody waits for.
 */
import { setTimeout as setRealTimeout } from 'node:timers'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { NotSyncedError } from '../store.ts'
import { bounded } from './problems.ts'

/** A write under way. */
export interface Written {
  /** Resolves when it can be read and survives the process; rejects when none of it was written. */
  readonly committed: Promise<unknown>
  /** Resolves when it survives the machine. */
  readonly flushed: Promise<unknown>
}

export interface Waiting<T> {
  readonly item: T
  /** Waits for no sync. */
  readonly isRelaxed: boolean
  /** It is not written yet, and its caller does not wait for that. */
  readonly wasTold: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface GroupWriter<T> {
  /** Begins to write. `fill` is called at the end of this turn or later, and writes. @param first of those that wait */
  open(fill: () => void, first: T): Written
  /** Writes a group, or the first of its items: returns how many it took. */
  write(items: readonly Waiting<T>[]): number
  /** The group can be read back. Called before the next one is written. */
  onCommitted(items: readonly Waiting<T>[]): void
  /** None of the group was written. */
  onFailed(items: readonly Waiting<T>[], error: unknown): void
  /** The group is as safe as its items asked for; called in order, just before they are told. */
  onKept(items: readonly Waiting<T>[]): void
  /** The group survives the machine: as it is kept, or later, where its items did not wait for that. In order. */
  onSynced(items: readonly Waiting<T>[]): void
}

export class GroupCommit<T> {
  readonly #writer: GroupWriter<T>
  #waiting: Waiting<T>[] = []
  /** How many of them wait to be told. */
  #untold = 0
  /** How many of them wait for the sync. */
  #strict = 0
  #isWriting = false
  /** The last group is not synced: what comes now shares the next one, which would only be smaller otherwise. */
  #isSyncing = false
  /** The same for a moment after a group that nobody waited to see synced, of what need not be either. */
  #isPausing = false
  #lastFailed = false
  #isEnding = false
  /** What nobody waits for is written now. */
  #isDue = false
  #timer: NodeJS.Timeout | null = null
  /** Resolves when the last group is synced, or will not be. */
  #synced: Promise<void> = Promise.resolve()
  /** Resolves when every group so far was told. */
  #told: Promise<unknown> = Promise.resolve()

  constructor(writer: GroupWriter<T>) {
    this.#writer = writer
  }

  /** @param isEarly waits for nothing, as long as writing works: told at once, and written a moment later */
  add(item: T, isRelaxed: boolean, isEarly = false): Promise<void> {
    return new Promise((resolve, reject) => {
      const wasTold = isEarly && !this.#lastFailed
      this.#waiting.push({ item, isRelaxed, wasTold, resolve, reject })
      if (!isRelaxed) this.#strict++
      if (wasTold) resolve()
      else this.#untold++
      this.#next()
    })
  }

  /** As `idle`, and what was told before it was written is tried no more than once again. */
  async end(): Promise<void> {
    this.#isEnding = true
    await this.idle()
  }

  /** Resolves when nothing waits and nothing is being written. */
  async idle(): Promise<void> {
    while (this.#isWriting || this.#isSyncing || this.#waiting.length > 0) {
      this.#isDue = true
      this.#next()
      await this.#synced
      await nextTurn()
    }
    await this.#told
    await this.#synced
  }

  /** Begins the next group where one is wanted, and may be written. */
  #next(): void {
    if (this.#isWriting || this.#waiting.length === 0) return
    if (this.#untold === 0 && !this.#isDue) {
      this.#timer ??= setTimeout(() => {
        this.#timer = null
        this.#isDue = true
        this.#next()
      }, HOLD_MS)
    } else if (!this.#isSyncing && (!this.#isPausing || this.#strict > 0)) this.#begin()
  }

  /** Groups of what is relaxed would come one a turn otherwise. */
  #pause(): void {
    this.#isPausing = true
    // Short, and not to be held up by a test that mocks the time of tasks.
    setRealTimeout(() => {
      this.#isPausing = false
      this.#next()
    }, PAUSE_MS)
  }

  #begin(): void {
    this.#isWriting = true
    this.#isDue = false
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    let group: readonly Waiting<T>[] | null = null
    let failure: { readonly error: unknown } | null = null
    try {
      const { committed, flushed } = this.#writer.open(() => {
        try {
          group = this.#take()
        } catch (error) {
          failure = { error }
          group = this.#takeAll()
        }
      }, this.#waiting[0]!.item)
      flushed.catch(ignore)
      committed
        .then(() => {
          if (failure !== null) throw failure.error
          this.#onCommitted(group!, flushed)
        })
        .catch((error: unknown) => this.#onFailed(group ?? this.#takeAll(), error))
    } catch (error) {
      this.#onFailed(this.#takeAll(), error)
    }
  }

  /** Writes the first of those that wait, mostly all of them, and returns them. */
  #take(): readonly Waiting<T>[] {
    const waiting = this.#waiting
    const taken = this.#writer.write(waiting)
    if (taken === waiting.length) return this.#takeAll()
    this.#setWaiting(waiting.slice(taken))
    return waiting.slice(0, taken)
  }

  #takeAll(): readonly Waiting<T>[] {
    const waiting = this.#waiting
    this.#setWaiting([])
    return waiting
  }

  #setWaiting(waiting: Waiting<T>[]): void {
    this.#waiting = waiting
    this.#untold = 0
    this.#strict = 0
    for (const each of waiting) {
      if (!each.wasTold) this.#untold++
      if (!each.isRelaxed) this.#strict++
    }
  }

  #onCommitted(group: readonly Waiting<T>[], flushed: Promise<unknown>): void {
    this.#lastFailed = false
    this.#writer.onCommitted(group)
    const synced = bounded(flushed)
    const isRelaxed = group.every((each) => each.isRelaxed)
    this.#isSyncing = !isRelaxed
    if (isRelaxed && group.length >= MUCH) this.#pause()
    // What is relaxed is synced with it, and told of that first.
    const told = Promise.all(isRelaxed ? [this.#told] : [this.#told, synced, this.#synced]).then(
      () => {
        this.#writer.onKept(group)
        if (!isRelaxed) this.#writer.onSynced(group)
        for (const each of group) each.resolve()
      },
      (cause: unknown) => {
        const error = new NotSyncedError(cause instanceof Error ? cause.message : String(cause), { cause })
        for (const each of group) each.reject(error)
      },
    )
    this.#told = told
    if (isRelaxed) {
      const before = this.#synced
      this.#synced = Promise.all([told, synced, before]).then(() => this.#writer.onSynced(group), ignore)
    } else {
      const onSynced = (): void => {
        this.#isSyncing = false
        this.#next()
      }
      this.#synced = synced.then(onSynced, onSynced)
    }
    this.#isWriting = false
    this.#next()
  }

  #onFailed(group: readonly Waiting<T>[], error: unknown): void {
    this.#lastFailed = true
    this.#writer.onFailed(group, error)
    this.#told = this.#told.then(() => {
      for (const each of group) if (!each.wasTold) each.reject(error)
    })
    // What was told already must be written: it goes again, first, until it is.
    const again = this.#isEnding ? [] : group.filter((each) => each.wasTold)
    if (again.length > 0) this.#setWaiting([...again, ...this.#waiting])
    const goOn = (): void => {
      this.#isWriting = false
      this.#isDue = true
      this.#next()
    }
    if (again.length > 0) setTimeout(goOn, AGAIN_AFTER_MS)
    else goOn()
  }
}

/** What nobody waits for is written after this long. */
const HOLD_MS = 5

/** Between groups of what is relaxed, where one of them had so many commits: a few wait for nothing. */
const PAUSE_MS = 2
const MUCH = 8

/** Between a failed write and the next try, where something was told already. */
const AGAIN_AFTER_MS = 200

const ignore = (): void => {}
