/**
 * What was committed and is not in the synced database yet: `<data-dir>/execgo.journal.0` and `.1`. A record for each
 * group of commits, one after the other, synced by one `fdatasync`, where LMDB needs two.
 *
 * ```
 * append ─► sync (one at a time: it takes along all that was appended before) ─► the client is told
 *    └─► tables, some milliseconds later (pending.ts) ─► synced there ─► release: the file is written from its start
 * ```
 *
 * One file is written until it is long enough and the other has been released. Both are written in place, over what was
 * there: a sync has no size to change. At a start the records that the database does not have are read back, in the
 * order of their numbers, up to the first that is missing or torn: nobody was told of that one, or of a later one.
 *
 * A file begins with the database's id and the epoch, a number made at each start, with which the records' checksums
 * begin: what lies there of an earlier start is not taken for a record.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fdatasyncSync, ftruncateSync } from 'node:fs'
import { join } from 'node:path'
import {
  FILE_BYTES,
  HEADER_BYTES,
  numberOf,
  openSegment,
  recordsIn,
  SWITCH_BYTES,
  seal,
  type Segment,
  spoil,
  syncDirectory,
  syncSegment,
  writeAll,
} from './journal-file.ts'

const FILES = ['execgo.journal.0', 'execgo.journal.1'] as const
/** Most bytes that wait for the database to be synced. */
const MOST_BYTES = 512 * 1024 * 1024
/** A disk that takes longer is not waited for in this thread, and not tried again so for a while. */
const QUICK_MS = 3
const NOT_QUICK_FOR_MS = 5000

export class Journal {
  readonly #segments: readonly [Segment, Segment]
  readonly #epoch: number
  #current: Segment
  #last: number
  #released = 0
  #isClosed = false
  /** Of the records up to this one a sync failed: the system does not write them again by itself. */
  #brokenUpTo = 0
  /** By the monotonic clock: until then the disk counts as slow. */
  #slowUntilMs = 0
  #syncing: Promise<void> | null = null
  #nextSync: Promise<void> | null = null

  private constructor(segments: readonly [Segment, Segment], epoch: number, last: number) {
    this.#segments = segments
    this.#epoch = epoch
    this.#current = segments[0]
    this.#last = last
    this.#released = last
  }

  /**
   * The records of this database that it does not have.
   * @param databaseId at most 64 characters of ASCII: a journal of another database is not read
   * @param applied the number of the last record that it has
   */
  static read(dataDir: string, databaseId: string, applied: number): Buffer[] {
    const found = FILES.flatMap((name) => recordsIn(join(dataDir, name), databaseId))
    const wanted = found
      .filter((record) => numberOf(record) > applied)
      .sort((a, b) => numberOf(a) - numberOf(b))
    const gap = wanted.findIndex((record, at) => numberOf(record) !== applied + 1 + at)
    return gap < 0 ? wanted : wanted.slice(0, gap)
  }

  /** Begins anew: the database has all records so far, synced. @param last the number of the last one */
  static open(dataDir: string, databaseId: string, last: number): Journal {
    const epoch = randomBytes(4).readUInt32LE()
    const open = (name: string): Segment => openSegment(join(dataDir, name), databaseId, epoch)
    const journal = new Journal([open(FILES[0]), open(FILES[1])], epoch, last)
    syncDirectory(dataDir)
    return journal
  }

  /** The number of the last record. */
  get last(): number {
    return this.#last
  }

  /** Writes a record, whose head is filled in. It outlives the process now. @throws where it cannot be written */
  append(record: Buffer): void {
    if (this.#isClosed) throw new Error('the journal is closed')
    let unreleased = 0
    for (const { end, last } of this.#segments) if (last > this.#released) unreleased += end
    if (unreleased > MOST_BYTES)
      throw new Error(
        `the journal has ${unreleased} bytes already that the database could not be synced with`,
      )
    this.#chooseSegment()
    const segment = this.#current
    seal(record, this.#last + 1, this.#epoch)
    try {
      writeAll(segment.file, record, segment.end)
    } catch (error) {
      // What was written of it must not be found: nobody is told that it was kept.
      spoil(segment)
      throw error
    }
    this.#last++
    segment.last = this.#last
    segment.isDirty = true
    segment.end += record.length
    segment.size = Math.max(segment.size, segment.end)
  }

  /** Resolves when all that was appended before survives the machine; rejects where only a synced database can tell. */
  sync(): Promise<void> {
    if (this.#syncing === null) return this.#startSync()
    this.#nextSync ??= this.#syncing.then(ignore, ignore).then(() => {
      this.#nextSync = null
      return this.#syncing ?? this.#startSync()
    })
    return this.#nextSync
  }

  /**
   * As {@link sync}, at once, where the disk has been quick: waking another thread takes longer than such a disk.
   * @returns whether all is synced
   */
  syncNow(): boolean {
    const startedAt = performance.now()
    if (this.#syncing !== null || this.#isBroken || startedAt < this.#slowUntilMs) return false
    try {
      for (const segment of this.#segments) {
        if (segment.isDirty) fdatasyncSync(segment.file)
        segment.isDirty = false
      }
      return true
    } catch {
      this.#brokenUpTo = this.#last
      return false
    } finally {
      const endedAt = performance.now()
      if (endedAt - startedAt > QUICK_MS) this.#slowUntilMs = endedAt + NOT_QUICK_FOR_MS
    }
  }

  /** The database has all records up to this one, synced: they are not needed any more. */
  release(number: number): void {
    if (this.#isClosed) return
    this.#released = Math.max(this.#released, number)
    for (const segment of this.#segments) {
      if (segment === this.#current || segment.last > this.#released || segment.size <= SWITCH_BYTES * 2)
        continue
      try {
        ftruncateSync(segment.file, FILE_BYTES)
        segment.size = FILE_BYTES
      } catch {
        // It is only longer than it need be.
      }
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { file } of this.#segments) closeSync(file)
  }

  /** A sync that failed may be told once only: the next one would say that all is well. */
  get #isBroken(): boolean {
    return this.#isClosed || this.#released < this.#brokenUpTo
  }

  #startSync(): Promise<void> {
    if (this.#isBroken) return Promise.reject(new Error('an earlier sync of the journal failed'))
    this.#syncing = Promise.all(this.#segments.map(syncSegment))
      .then(ignore, (error: unknown) => {
        this.#brokenUpTo = this.#last
        throw error
      })
      .finally(() => {
        this.#syncing = null
      })
    return this.#syncing
  }

  /** From the start of the file where all in it was released; into the other one where that is long enough. */
  #chooseSegment(): void {
    const current = this.#current
    if (current.last <= this.#released) current.end = HEADER_BYTES
    if (current.end < SWITCH_BYTES) return
    const other = this.#segments[current === this.#segments[0] ? 1 : 0]
    if (other.last > this.#released) return
    other.end = HEADER_BYTES
    this.#current = other
  }
}

const ignore = (): void => {}
