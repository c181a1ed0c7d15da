/**
 * The two ways of a group to the disk.
 *
 * ```
 * adds only ───► journal, one fdatasync ─► tables, some milliseconds later
 * takes away ──► a transaction of the tables, once they have all that came before
 * ```
 */
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
  #isSynced = false

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
      const written = pending.drain().then(() => this.#transaction(fill))
      return { committed: written, flushed: written }
    }
    const write = (): void => {
      this.#isSynced = false
      fill()
    }
    const committed =
      pending.problem === null
        ? new Promise<void>((resolve) => setImmediate(() => resolve(write())))
        : // The journal would only grow. But the disk may be well again, and nobody waits longer than that takes.
          pending.retry().then(write)
    return { committed, flushed: committed.then(() => (this.#isSynced ? undefined : this.#sync())) }
  }

  /**
   * Writes a group's record.
   * @param isLone nobody else waits for this group
   * @param takeAway puts into the tables what the record does not say
   */
  keep(record: GroupRecord, isLone: boolean, takeAway: (tables: Tables) => void): void {
    const { tables, journal, records, pending } = this.#parts
    if (!this.#isTransaction) {
      journal.append(record.bytes)
      records.keep()
      pending.add(record)
      // Where many come, the next ones are taken in while the disk is at work.
      if (isLone) this.#isSynced = journal.syncNow()
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

const ignore = (): void => {}
