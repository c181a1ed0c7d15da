/**
 * What happens to tasks, as a sequence that grows by one with each event, and outlives the process. It is written with
 * the commits that it tells of, one record each, and told once those are kept.
 *
 * A record is a JSON array of runs: `[kind, graph key, time, attempt, [ids], message]`, where tasks to which the same
 * happened share a run. A task that began and ended in one commit is in one run, of two events each.
 * @see contract B3
 */
import type { Phase } from '../domain/lifecycle.ts'
import { textJson } from '../domain/json.ts'
import type { Task } from '../domain/task.ts'
import type { Acceptance } from './store.ts'

export const EVENT_TYPES = [
  'task_submitted',
  'task_started',
  'task_progressed',
  'task_retried',
  'task_succeeded',
  'task_failed',
  'task_skipped',
  'task_cancelled',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

/** To a kind it is added where the task began in the same commit. */
const BEGAN = 16

export interface TaskEvent {
  /** Its place in the sequence, from 1. */
  readonly id: number
  readonly type: EventType
  readonly taskId: string
  readonly graphKey: number
  readonly atMs: number
  /** 0 before the first. */
  readonly attempt: number
  /** Of a failure, a skip, or progress; `''` for none. */
  readonly message: string
}

/** What a commit tells of a task that is not over. */
export interface TaskNote {
  readonly type: 'task_started' | 'task_progressed' | 'task_retried'
  readonly task: Task
  readonly atMs: number
  readonly attempt: number
  readonly message: string
  /** How many of the tasks that end with the same commit had ended before. */
  readonly after: number
}

type Run = readonly [
  kind: number,
  graphKey: number,
  atMs: number,
  attempt: number,
  ids: string[],
  message?: string,
]

/** A reader has one record at a time in its hands. */
const RECORD_EVENTS = 1000

export interface EventRecord {
  /** How many events are in it. */
  readonly count: number
  readonly text: string
}

/** Makes the records of one group of commits; the next one begins with {@link begin}. */
export class EventEncoder {
  #records: EventRecord[] = []
  /** The open record: the runs that are written, and how many events are in it. */
  #text = ''
  #count = 0
  /** The open run, of ids as JSON; `''` where there is none. */
  #ids = ''
  #kind = 0
  #graphKey = 0
  #atMs = 0
  #attempt = 0
  #message = ''
  /** Attempts of which it was told that they began, by the keys of their tasks, until those are over. */
  readonly #begun = new Map<number, number>()
  /** How to put `#begun` back where the group is not written. */
  #undo: (readonly [number, number | undefined])[] = []

  begin(): void {
    this.#records = []
    this.#undo = []
    this.#open()
  }

  /** The records, in order. */
  end(): readonly EventRecord[] {
    this.#close()
    return this.#records
  }

  /** The group was not written. */
  takeBack(): void {
    for (const [key, attempt] of this.#undo.reverse()) {
      if (attempt === undefined) this.#begun.delete(key)
      else this.#begun.set(key, attempt)
    }
    this.begin()
  }

  submitted({ graph, tasks }: Acceptance): void {
    for (const task of tasks) this.#add(SUBMITTED, task.id, graph.key, graph.createdMs, 0, '')
  }

  noted({ type, task, atMs, attempt, message }: TaskNote): void {
    if (type === 'task_started') this.#setBegun(task.key, attempt)
    this.#add(EVENT_TYPES.indexOf(type), task.id, task.graph.key, atMs, attempt, shortened(message))
  }

  /**
   * Those that came before the next of the commit's tasks ended.
   * @param from the first that was not told
   * @param ended how many have
   * @returns the first that was not told now
   */
  notedUpTo(notes: readonly TaskNote[], from: number, ended: number): number {
    let at = from
    while (at < notes.length && notes[at]!.after <= ended) this.noted(notes[at++]!)
    return at
  }

  /** A task that was over runs again. */
  revived(task: Task): void {
    this.#add(RETRIED, task.id, task.graph.key, task.updatedMs, task.attempt, '')
  }

  ended(task: Task): void {
    const { key, attempt } = task
    const told = this.#begun.get(key)
    // What skips or cancels a task that waits is no attempt of it.
    const began = task.startedMs > 0 && attempt > 0 && told !== attempt
    if (told !== undefined) this.#setBegun(key, undefined)
    const kind = endKind(task) + (began ? BEGAN : 0)
    this.#add(kind, task.id, task.graph.key, task.updatedMs, attempt, shortened(task.error))
  }

  #add(kind: number, id: string, graphKey: number, atMs: number, attempt: number, message: string): void {
    if (this.#count >= RECORD_EVENTS) this.#close()
    this.#count += kind >= BEGAN ? 2 : 1
    const isSame =
      this.#ids !== '' &&
      this.#kind === kind &&
      this.#graphKey === graphKey &&
      this.#atMs === atMs &&
      this.#attempt === attempt &&
      this.#message === message
    if (isSame) {
      this.#ids += `,${textJson(id)}`
      return
    }
    this.#endRun()
    this.#ids = textJson(id)
    this.#kind = kind
    this.#graphKey = graphKey
    this.#atMs = atMs
    this.#attempt = attempt
    this.#message = message
  }

  #endRun(): void {
    if (this.#ids === '') return
    const message = this.#message === '' ? '' : `,${JSON.stringify(this.#message)}`
    this.#text += `${this.#text === '' ? '' : ','}[${this.#kind},${this.#graphKey},${this.#atMs},${this.#attempt},[${this.#ids}]${message}]`
    this.#ids = ''
  }

  #open(): void {
    this.#text = ''
    this.#ids = ''
    this.#count = 0
  }

  #close(): void {
    if (this.#count === 0) return
    this.#endRun()
    this.#records.push({ count: this.#count, text: `[${this.#text}]` })
    this.#open()
  }

  #setBegun(key: number, attempt: number | undefined): void {
    this.#undo.push([key, this.#begun.get(key)])
    if (attempt === undefined) this.#begun.delete(key)
    else this.#begun.set(key, attempt)
  }
}

/** The events of a record. @param first the number of its first event */
export const decodeEvents = (first: number, record: string): TaskEvent[] => {
  const events: TaskEvent[] = []
  for (const [kind, graphKey, atMs, attempt, ids, message = ''] of JSON.parse(record) as Run[]) {
    const type = EVENT_TYPES[kind % BEGAN]!
    for (const taskId of ids) {
      const common = { taskId, graphKey, atMs, attempt }
      if (kind >= BEGAN)
        events.push({ id: first + events.length, type: 'task_started', ...common, message: '' })
      events.push({ id: first + events.length, type, ...common, message })
    }
  }
  return events
}

const SUBMITTED = EVENT_TYPES.indexOf('task_submitted')
const RETRIED = EVENT_TYPES.indexOf('task_retried')
const CANCELLED = EVENT_TYPES.indexOf('task_cancelled')

const KIND_OF_PHASE: Readonly<Partial<Record<Phase, number>>> = {
  success: EVENT_TYPES.indexOf('task_succeeded'),
  failed: EVENT_TYPES.indexOf('task_failed'),
  skipped: EVENT_TYPES.indexOf('task_skipped'),
}

const endKind = (task: Task): number =>
  task.envelope?.status === 'cancelled' ? CANCELLED : KIND_OF_PHASE[task.phase]!

/** Events name the reason; the whole of it is in the task. */
const MAX_MESSAGE_CHARS = 1000

const shortened = (message: string): string =>
  message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)}…` : message
