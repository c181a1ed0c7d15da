/**
 * The two ways of a group to the disk.
 *
 * ```
 * adds only ───► journal, one fdatasync ─► tables, some milliseconds later
 * takes away ──► a transaction of the tables, once they have all that came before
 * ```
 */
import { clearTimeout as clearRealTimeout, setTimeout as setRealTimeout } from 'node:timers'
import { type Tables, transact } from './database.ts'
import { putEntry } from './entries.ts'
import type { Written } from './group-commit.ts'
import type { Journal } from './journal.ts'
import type { Pending } from './pending.ts'
import { bounded } from './problems.ts'
import type { GroupRecord, RecordBuffer } from './record-buffer.ts'
import { ensureRoom } from './room.ts'

export interface GroupDiskParts {
  readonly dataDir: string
  readonly tables: Tables
  readonly journal: Journal
  readonly records: RecordBuffer
  readonly pending: Pending
}

export class GroupDisk {
  readonly #parts: GroupDiskParts
  #isTransaction = false
  /** What is left to do for the record that was written last to survive the machine. */
  #toSync: 'nothing' | 'soon' | 'now' = 'now'
  /** The sync that nobody waits for. */
  #soon: { readonly synced: Promise<void>; readonly begin: () => Promise<void> } | null = null

  constructor(parts: GroupDiskParts) {
    this.#parts = parts
  }

  /**
   * Begins a group. `fill` is called when it may be written, and calls {@link keep}.
   * @param takesAway whether it takes something away from the tables
   */
  open(fill: () => void, takesAway: boolean): Written {
    const { pending } = this.#parts
    if (pending.waitingBytes > MOST_WAITING_BYTES)
      throw new Error(`the database is ${pending.waitingBytes} bytes behind the journal`)
    if (takesAway) {
      // Those that wait for its group wait for the ones before it.
      if (this.#soon !== null) void this.#syncAll()
      const written = pending.drain().then(() => this.#transaction(fill))
      return { committed: written, flushed: written }
    }
    const write = (): void => {
      // Also where it fails: nothing is left to do for it then.
      this.#toSync = 'nothing'
      fill()
    }
    const committed =
      pending.problem === null
        ? new Promise<void>((resolve) => setImmediate(() => resolve(write())))
        : // The journal would only grow. But the disk may be well again, and nobody waits longer than that takes.
          pending.retry().then(write)
    return { committed, flushed: committed.then(() => this.#flush()) }
  }

  /**
   * Writes a group's record.
   * @param isLone it is of one commit: nobody else waits for it
   * @param isRelaxed nobody waits for its sync
   * @param takeAway puts into the tables what the record does not say
   */
  keep(
    record: GroupRecord,
    { isLone, isRelaxed }: { readonly isLone: boolean; readonly isRelaxed: boolean },
    takeAway: (tables: Tables) => void,
  ): void {
    const { tables, journal, records, pending } = this.#parts
    if (!this.#isTransaction) {
      journal.append(record.bytes)
      records.keep()
      pending.add(record)
      // Where many come, the next ones are taken in while the disk is at work.
      if (isRelaxed) this.#toSync = 'soon'
      else this.#toSync = isLone && journal.syncNow() ? 'nothing' : 'now'
      return
    }
    records.keep()
    takeAway(tables)
    for (const entry of record.entries) putEntry(tables, entry)
  }

  /** Synced before the next group: what the journal has is put into tables that have this. */
  async #transaction(fill: () => void): Promise<void> {
    const { dataDir, tables, records } = this.#parts
    ensureRoom(dataDir, 0)
    // All is in the tables: nothing reads those records any more.
    records.recycle(records.detach())
    this.#isTransaction = true
    const { committed, flushed } = transact(tables, fill)
    this.#isTransaction = false
    flushed.catch(ignore)
    await committed
    await bounded(flushed)
  }

  #flush(): Promise<void> | undefined {
    if (this.#toSync === 'soon') return this.#syncSoon()
    // What was to be synced soon is, with the rest.
    return this.#toSync === 'nothing' && this.#soon === null ? undefined : this.#syncAll()
  }

  /** Resolves with the next sync of all. That begins within a moment, for many groups at once. */
  #syncSoon(): Promise<void> {
    if (this.#soon !== null) return this.#soon.synced
    let begin = (): Promise<void> => Promise.resolve()
    const synced = new Promise<void>((resolve) => {
      const timer = setRealTimeout(() => this.#syncAll(), SYNC_SOON_MS)
      begin = () => {
        clearRealTimeout(timer)
        const all = this.#sync()
        resolve(all)
        return all
      }
    })
    this.#soon = { synced, begin }
    return synced
  }

  #syncAll(): Promise<void> {
    const soon = this.#soon
    this.#soon = null
    return soon === null ? this.#sync() : soon.begin()
  }

  /** Where the journal cannot be synced, the tables may. */
  async #sync(): Promise<void> {
    const { journal, pending } = this.#parts
    try {
      await journal.sync()
    } catch {
      await pending.checkpoint()
    }
  }
}

/** More would fill the memory while the database hangs. */
const MOST_WAITING_BYTES = 128 * 1024 * 1024

/** Far within the 100 ms of the contract, and long for a disk: what nobody waits for shares few syncs. */
const SYNC_SOON_MS = 10

const ignore = (): void => {}
