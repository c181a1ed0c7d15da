/**
 * The sequence of events on disk: the table `events`, a record for each group of commits, under the number of its first
 * event. It goes through the journal with the rest of its group, and is told when the group is synced, also where nobody
 * else waits for that: who watches goes on by these numbers. The oldest records go as new ones come; the last one always
 * stays, as it says which number is next. A record without events has the number that stands for what happened while
 * events were off: the history begins after it.
 */
import type { TaskEvent, TaskNote } from '../events.ts'
import { decodeEvents, EventEncoder } from '../events.ts'
import type { Commit } from '../store.ts'
import type { Task } from '../../domain/task.ts'
import type { Tables } from './database.ts'
import type { Pending } from './pending.ts'
import type { RecordBuffer } from './record-buffer.ts'

/** What of the history stays. */
export interface EventHistory {
  /** Most events; 0 keeps, and tells, none. */
  readonly maxEvents: number
  readonly maxAgeMs: number
}

interface Kept {
  /** The number of the first event. */
  readonly first: number
  readonly atMs: number
}

export interface EventLogOptions extends EventHistory {
  readonly tables: Tables
  readonly pending: Pending
  readonly nowMs: () => number
}

/**
 * For a start with events off. The history ends, and a number is left out, so that who has seen its last event is told
 * that others are missing. It is known to be on disk when this returns.
 */
export const endHistory = (tables: Tables): void => {
  const [last] = tables.events.getKeys({ reverse: true, limit: 1 })
  const count = last === undefined ? 0 : eventsOf(tables, last)
  if (last !== undefined && count === 0) return
  tables.root.transactionSync(() => {
    tables.events.clearSync()
    tables.events.putSync((last ?? 1) + count, Buffer.from('[]'))
  })
}

/** How many events the record of this number has. */
const eventsOf = ({ events }: Tables, first: number): number =>
  decodeEvents(first, events.getBinary(first)!.toString('utf8')).length

export class EventLog {
  readonly #options: EventLogOptions
  readonly #encoder = new EventEncoder()
  /** Oldest first, from `#oldest` on. */
  #records: Kept[] = []
  #oldest = 0
  /** The last event that is written, and the last that may be told. */
  #written = 0
  #kept = 0
  /** The number of what happened while events were off, 0 for none. */
  readonly #gap: number = 0
  /** The records of the group that is being written, and the last event in them. */
  #next: Kept[] = []
  #nextLast = 0
  #nextOldest = 0
  /** The last event of each group that is not synced yet. */
  readonly #lastOf = new WeakMap<object, number>()

  constructor(options: EventLogOptions) {
    this.#options = options
    const { tables, nowMs } = options
    // How old the records are is not known without reading them: they count from the start.
    for (const first of tables.events.getKeys({})) this.#records.push({ first, atMs: nowMs() })
    const [oldest, last] = [this.#records[0], this.#records.at(-1)]
    if (oldest === undefined || last === undefined) return
    if (eventsOf(tables, oldest.first) === 0) this.#gap = oldest.first
    this.#written = this.#kept = last.first + Math.max(1, eventsOf(tables, last.first)) - 1
  }

  get isOn(): boolean {
    return this.#options.maxEvents > 0
  }

  /** The last event that may be told, 0 for none. */
  get last(): number {
    return this.#kept
  }

  /** The first event that can be read. */
  get first(): number {
    return Math.max(this.#records[this.#oldest]?.first ?? this.#written + 1, this.#gap + 1)
  }

  begin(): void {
    this.#encoder.begin()
  }

  /** Takes down what a commit tells before anything else of it. */
  add({ accepted, revived }: Commit): void {
    if (!this.isOn) return
    if (accepted !== undefined) this.#encoder.submitted(accepted)
    for (const task of revived ?? []) this.#encoder.revived(task)
  }

  /** @see EventEncoder.notedUpTo */
  addNotes(notes: readonly TaskNote[], from: number, ended: number): number {
    return this.isOn ? this.#encoder.notedUpTo(notes, from, ended) : notes.length
  }

  addEnded(task: Task): void {
    if (this.isOn) this.#encoder.ended(task)
  }

  /** Writes the record of the group, and removes those that may go. */
  write(records: RecordBuffer): void {
    const atMs = this.#options.nowMs()
    this.#next = []
    this.#nextLast = this.#written
    for (const { count, text } of this.#encoder.end()) {
      const first = this.#nextLast + 1
      records.open('events', first)
      records.write(text)
      records.close()
      this.#next.push({ first, atMs })
      this.#nextLast += count
    }
    if (this.#next.length === 0) return
    const stays = this.#firstToStay(atMs)
    for (let at = this.#oldest; at < stays; at++) records.remove('events', this.#records[at]!.first)
    this.#nextOldest = stays
  }

  onCommitted(group: object): void {
    // Nothing of it can be taken back any more.
    this.#encoder.begin()
    if (this.#next.length > 0) {
      this.#oldest = this.#nextOldest
      for (const record of this.#next) this.#records.push(record)
      this.#written = this.#nextLast
      if (this.#oldest > 1000 && this.#oldest > this.#records.length / 2) {
        this.#records = this.#records.slice(this.#oldest)
        this.#oldest = 0
      }
    }
    this.#next = []
    this.#lastOf.set(group, this.#written)
  }

  onFailed(): void {
    this.#next = []
    this.#encoder.takeBack()
  }

  /** @returns whether there is something new to tell */
  onSynced(group: object): boolean {
    const last = this.#lastOf.get(group) ?? this.#kept
    if (last <= this.#kept) return false
    this.#kept = last
    return true
  }

  /** The events after this one, of some records; `null` where the history does not have them any more. */
  read(after: number): readonly TaskEvent[] | null {
    if (after + 1 < this.first || after > this.#kept) return null
    const events: TaskEvent[] = []
    for (let at = this.#placeOf(after + 1); at < this.#records.length; at++) {
      const { first } = this.#records[at]!
      if (first > this.#kept || events.length >= READ_EVENTS) break
      const text = this.#textOf(first)
      if (text === null) return null
      for (const event of decodeEvents(first, text))
        if (event.id > after && event.id <= this.#kept) events.push(event)
    }
    return events
  }

  /** `null` where it is going this very moment. */
  #textOf(first: number): string | null {
    const { pending, tables } = this.#options
    const added = pending.get('events', first)
    const value = added === undefined ? tables.events.getBinary(first) : added
    return value?.toString('utf8') ?? null
  }

  /** The record that has this event: the last one that begins no later. */
  #placeOf(event: number): number {
    let [from, to] = [this.#oldest, this.#records.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (this.#records[middle]!.first <= event) from = middle + 1
      else to = middle
    }
    return Math.max(this.#oldest, from - 1)
  }

  /** The place of the first record that stays once the next ones are there. */
  #firstToStay(nowMs: number): number {
    const { maxEvents, maxAgeMs } = this.#options
    let at = this.#oldest
    while (at < this.#records.length) {
      const { first, atMs } = this.#records[at]!
      // A record stays until none of it is wanted, and until it may be told.
      const nextFirst = (this.#records[at + 1] ?? this.#next[0]!).first
      const isTooMany = this.#nextLast - nextFirst + 1 >= maxEvents
      if (first > this.#kept || (!isTooMany && atMs >= nowMs - maxAgeMs)) break
      at++
    }
    return at
  }
}

/** About how many events are read at once. */
const READ_EVENTS = 1000
