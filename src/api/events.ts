/**
 * Clients that watch what happens to tasks. Each reader has a place in the sequence and asks for what comes after it: one
 * that is slow only falls behind, nothing is gathered for it, and it ends where the history has gone on without it.
 *
 * ```
 * store: kept ─► onEvents ─► wake readers ─► next: from the tail that they share, or from the store
 * ```
 */
import { type Result, ok, refused } from '../domain/errors.ts'
import { graphIdOf, keyOfGraphId } from '../domain/graph-record.ts'
import { rfc3339 } from '../domain/time.ts'
import { EVENT_TYPES, type EventType, type TaskEvent } from '../store/events.ts'
import type { StoreEvents } from '../store/store.ts'

export type { TaskEvent }

/** What a client wants to watch. */
export interface EventQuery {
  /** `''` for all. */
  readonly taskId: string
  /** `''` for all. */
  readonly graphId: string
  /** None for all. */
  readonly types: readonly string[]
  /** The last event that the client has seen; `''` for what comes from now on. */
  readonly lastEventId: string
}

interface Filter {
  readonly taskId: string
  /** 0 for all. */
  readonly graphKey: number
  /** `null` for all. */
  readonly types: ReadonlySet<EventType> | null
}

/** Events that readers share: most of them are not far behind. */
const TAIL_EVENTS = 4096
/** Most that a reader is given at once. */
const NEXT_EVENTS = 256

export class Events {
  readonly #store: StoreEvents
  readonly #readers = new Set<EventReader>()
  /** The last events, in order. */
  #tail: TaskEvent[] = []
  #isWaking = false
  #isStopped = false

  constructor(store: StoreEvents) {
    this.#store = store
  }

  /** How many watch. */
  get readers(): number {
    return this.#readers.size
  }

  /** A reader, to be closed; or why there is none. */
  open(query: EventQuery): Result<EventReader> {
    if (this.#isStopped)
      return refused('unavailable', 'the daemon is shutting down: watch again after its restart')
    if (!this.#store.areEventsOn) return refused('not_found', 'events are off: EXECGO_EVENTS_KEEP is 0')
    const filter = filterOf(query)
    if (!filter.ok) return filter
    const after = this.#placeOf(query.lastEventId)
    if (!after.ok) return after
    const reader = new EventReader(this, filter.value, after.value)
    this.#readers.add(reader)
    return ok(reader)
  }

  /** The store has new events. Costs nothing where nobody watches. */
  onEvents(): void {
    if (this.#readers.size === 0 || this.#isWaking) return
    this.#isWaking = true
    setImmediate(() => {
      this.#isWaking = false
      for (const reader of this.#readers) reader.wake()
    })
  }

  /** Ends every reader. They go on after the next start, from the last event that they have seen. */
  stop(): void {
    this.#isStopped = true
    for (const reader of this.#readers) reader.close()
    this.#tail = []
  }

  close(reader: EventReader): void {
    this.#readers.delete(reader)
    if (this.#readers.size === 0) this.#tail = []
  }

  /** Some of the events after this one; `null` where the history does not reach back to it. */
  after(last: number): readonly TaskEvent[] | null {
    const tail = this.#tail
    const place = tail.length === 0 ? -1 : last + 1 - tail[0]!.id
    if (place >= 0 && place < tail.length) return tail.slice(place, place + NEXT_EVENTS)
    const events = this.#store.eventsAfter(last)
    if (events === null || events.length === 0) return events
    // Readers that are all behind it begin another one.
    if (tail.length > 0 && last !== tail.at(-1)!.id) {
      if (events.at(-1)!.id === this.#store.lastEvent) this.#tail = [...events]
      return events
    }
    for (const event of events) tail.push(event)
    if (tail.length > TAIL_EVENTS * 2) this.#tail = tail.slice(-TAIL_EVENTS)
    return events
  }

  #placeOf(lastEventId: string): Result<number> {
    const { lastEvent, firstEvent } = this.#store
    if (lastEventId === '') return ok(lastEvent)
    if (!/^\d{1,15}$/.test(lastEventId))
      return refused(
        'invalid',
        `the last event id must be a number, got ${JSON.stringify(lastEventId.slice(0, 40))}`,
      )
    const last = Number(lastEventId)
    if (last + 1 < firstEvent || last > lastEvent)
      return refused(
        'gone',
        `the history has ${firstEvent > lastEvent ? 'no events' : `events ${firstEvent} to ${lastEvent}`}, and cannot go on after ${last}: read the tasks, and watch from now on`,
      )
    return ok(last)
  }
}

export class EventReader {
  readonly #events: Events
  readonly #filter: Filter
  #last: number
  #wake: (() => void) | null = null
  #isClosed = false

  constructor(events: Events, filter: Filter, last: number) {
    this.#events = events
    this.#filter = filter
    this.#last = last
  }

  /**
   * The next events, some of them; none where nothing came within `withinMs`. `null` at the end: it was closed, or the
   * history went on without it. To be called again once it has resolved.
   */
  async next(withinMs: number): Promise<readonly TaskEvent[] | null> {
    const endMs = performance.now() + withinMs
    while (!this.#isClosed) {
      const events = this.#events.after(this.#last)
      if (events === null) {
        this.close()
        return null
      }
      if (events.length > 0) {
        this.#last = events.at(-1)!.id
        const wanted = events.filter((event) => isWanted(event, this.#filter))
        if (wanted.length > 0) return wanted
        // Others have their turns where all that there is has to be looked through; and who hears nothing for long is
        // told so, however much happens that it does not want.
        await new Promise((resolve) => setImmediate(resolve))
        if (performance.now() >= endMs) return []
        continue
      }
      const leftMs = endMs - performance.now()
      if (leftMs <= 0) return []
      await this.#news(leftMs)
    }
    return null
  }

  /** The last event that it looked at: it need not have wanted that. */
  get place(): number {
    return this.#last
  }

  wake(): void {
    this.#wake?.()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#events.close(this)
    this.wake()
  }

  #news(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), withinMs)
      this.#wake = () => {
        this.#wake = null
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

const isWanted = (event: TaskEvent, { taskId, graphKey, types }: Filter): boolean =>
  (taskId === '' || event.taskId === taskId) &&
  (graphKey === 0 || event.graphKey === graphKey) &&
  (types === null || types.has(event.type))

const filterOf = ({ taskId, graphId, types }: EventQuery): Result<Filter> => {
  const graphKey = graphId === '' ? 0 : keyOfGraphId(graphId)
  if (graphKey < 0)
    return refused('invalid', `graph_id cannot be read: ${JSON.stringify(graphId.slice(0, 40))}`)
  const wrong = types.find((type) => !EVENT_TYPES.some((known) => known === type))
  if (wrong !== undefined)
    return refused(
      'invalid',
      `unknown event type ${JSON.stringify(wrong.slice(0, 40))} (known: ${EVENT_TYPES.join(', ')})`,
    )
  return ok({ taskId, graphKey, types: types.length === 0 ? null : new Set(types as EventType[]) })
}

/** An event as clients see it. */
export const eventJson = ({ id, type, taskId, graphKey, atMs, attempt, message }: TaskEvent): string =>
  `{"id":${id},"type":"${type}","task_id":${JSON.stringify(taskId)},"graph_id":"${graphIdOf(graphKey)}","at":"${rfc3339(atMs)}"${
    attempt > 0 ? `,"attempt":${attempt}` : ''
  }${message === '' ? '' : `,"message":${JSON.stringify(message)}`}}`
