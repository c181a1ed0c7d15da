/**
 * Many commits share one write and one sync: what comes while a write is under way waits for the next one; a lone
 * commit waits for nobody.
 *
 * ```
 * add ─► waiting ─► write (one transaction) ─► committed ─► synced
 *           ▲                                     │            └─► resolve, where someone wants the sync
 *           └── the next group starts here ◄──────┴─► resolve, where all of the group are relaxed
 * ```
 *
 * Groups resolve in the order in which they were written, so that nobody is told of a later one first.
 */

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
  /** Waits for nothing, as long as writing works: told as soon as it is handed over. */
  readonly isEarly: boolean
  wasTold: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface GroupWriter<T> {
  /** Begins to write a group, or the first of its items: returns how many it took. */
  write(items: readonly Waiting<T>[]): { readonly taken: number; readonly written: Written }
  /** The group can be read back. Called before the next one is written. */
  onCommitted(items: readonly Waiting<T>[]): void
  /** None of the group was written. */
  onFailed(items: readonly Waiting<T>[], error: unknown): void
  /** The group is as safe as its items asked for; called in order, just before they are told. */
  onKept(items: readonly Waiting<T>[]): void
}

export class GroupCommit<T> {
  readonly #writer: GroupWriter<T>
  #waiting: Waiting<T>[] = []
  #isWriting = false
  #lastFailed = false
  #isEnding = false
  /** Resolves when every group so far was told. */
  #told: Promise<void> = Promise.resolve()

  constructor(writer: GroupWriter<T>) {
    this.#writer = writer
  }

  add(item: T, isRelaxed: boolean, isEarly = false): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, isRelaxed, isEarly, wasTold: false, resolve, reject })
      if (this.#isWriting) return
      this.#isWriting = true
      // What comes in the same turn goes along.
      queueMicrotask(() => void this.#writeAll())
    })
  }

  /** As `idle`, and what was told before it was written is tried no more than once again. */
  async end(): Promise<void> {
    this.#isEnding = true
    await this.idle()
  }

  /** Resolves when nothing waits and nothing is being written. */
  async idle(): Promise<void> {
    while (this.#isWriting) {
      await this.#told
      await new Promise((resolve) => setImmediate(resolve))
    }
    await this.#told
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeGroup()
    this.#isWriting = false
  }

  async #writeGroup(): Promise<void> {
    const waiting = this.#waiting
    let group: readonly Waiting<T>[] = waiting
    try {
      const { taken, written } = this.#writer.write(waiting)
      group = taken === waiting.length ? waiting : waiting.slice(0, taken)
      this.#waiting = taken === waiting.length ? [] : waiting.slice(taken)
      const flushed = written.flushed
      flushed.catch(ignore)
      written.committed.catch(ignore)
      if (!this.#lastFailed) tellEarly(group)
      await written.committed
      this.#lastFailed = false
      this.#writer.onCommitted(group)
      this.#tell(group, group.every((each) => each.isRelaxed) ? null : flushed)
    } catch (error) {
      if (this.#waiting === waiting) this.#waiting = []
      this.#lastFailed = true
      this.#writer.onFailed(group, error)
      this.#told = this.#told.then(() => {
        for (const each of group) if (!each.wasTold) each.reject(error)
      })
      // What was told already must be written: it goes again, first, until it is.
      const again = group.filter((each) => each.wasTold)
      if (again.length === 0 || this.#isEnding) return
      this.#waiting = [...again, ...this.#waiting]
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS))
    }
  }

  #tell(group: readonly Waiting<T>[], flushed: Promise<unknown> | null): void {
    this.#told = Promise.all([this.#told, flushed === null ? null : bounded(flushed)]).then(
      () => {
        this.#writer.onKept(group)
        for (const each of group) each.resolve()
      },
      (error: unknown) => {
        for (const each of group) each.reject(error)
      },
    )
  }
}

/** LMDB never settles the promise of a sync that failed: after this long it is taken as that. */
const SYNC_WITHIN_MS = 30_000

const bounded = (flushed: Promise<unknown>): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the disk did not confirm a write within ${SYNC_WITHIN_MS / 1000} s`)),
      SYNC_WITHIN_MS,
    )
    flushed.then(resolve, reject).finally(() => clearTimeout(timer))
  })

/** Between a failed write and the next try, where something was told already. */
const AGAIN_AFTER_MS = 200

const tellEarly = <T>(group: readonly Waiting<T>[]): void => {
  for (const each of group) {
    if (!each.isEarly) continue
    each.wasTold = true
    each.resolve()
  }
}

const ignore = (): void => {}
