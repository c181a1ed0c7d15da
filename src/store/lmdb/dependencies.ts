/**
 * What became of those that unfinished tasks depend on, as a start finds it. A task waits for the records that it was
 * accepted with, whoever has their ids now: those of its own graph are in the part of the accept record that it is in
 * too, those of other graphs are named beside it (`outside`). How one had ended whose record is gone was noted.
 */
import type { Task } from '../../domain/task.ts'
import type { SettledStatus } from '../store.ts'
import { type AcceptPart, keyInPart } from './accept-records.ts'
import { CODES } from './heads.ts'
import { type TaskIndex, UNFINISHED } from './task-index.ts'

/** Where an unfinished task was found. */
export interface Origin {
  readonly part: AcceptPart
  readonly place: number
  readonly accept: number
}

/** Records that are gone, `<accept number>:<key>` → how their tasks had ended, {@link UNFINISHED} for not at all. */
export type Gone = ReadonlyMap<string, number>

export class Dependencies {
  readonly #index: TaskIndex
  readonly #origins: ReadonlyMap<number, Origin>
  readonly #gone: Gone
  readonly #keys = new Map<AcceptPart, ReadonlyMap<string, number>>()

  /** @param origins of the unfinished tasks, by their keys */
  constructor(index: TaskIndex, origins: ReadonlyMap<number, Origin>, gone: Gone) {
    this.#index = index
    this.#origins = origins
    this.#gone = gone
  }

  /**
   * How those ended that are not unfinished, by their ids.
   * @param keyOf the record that an id has now, -1 for none: what was taken over knows no other
   */
  settled(task: Task, keyOf: (id: string) => number): Map<string, SettledStatus> {
    const settled = new Map<string, SettledStatus>()
    const { part, accept } = this.#origins.get(task.key)!
    for (const id of task.dependsOn) {
      const outside = task.outside?.get(id)
      const end =
        typeof outside === 'string'
          ? outside
          : this.#end(task, outside ?? this.#keysIn(part).get(id) ?? keyOf(id), accept)
      if (end !== null) settled.set(id, end)
    }
    return settled
  }

  #end(task: Task, key: number, accept: number): SettledStatus | null {
    const noted = this.#gone.get(`${accept}:${key}`)
    const code = noted ?? this.#index.code(key)
    if (noted === undefined && code === UNFINISHED) return null
    const end = settledStatus(code)
    return end === 'deleted' && noted === undefined ? endOfUnknown(task) : end
  }

  /** The keys of a graph's tasks by their ids. */
  #keysIn(part: AcceptPart): ReadonlyMap<string, number> {
    let keys = this.#keys.get(part)
    if (keys === undefined) {
      keys = new Map(part.t.map(([id], place) => [id, keyInPart(part, place)]))
      this.#keys.set(part, keys)
    }
    return keys
  }
}

const settledStatus = (code: number): SettledStatus => {
  switch (code) {
    case CODES.success:
      return 'success'
    case CODES.failed:
      return 'failed'
    case CODES.failedAllowed:
      return 'allowed'
    case CODES.skipped:
    case CODES.skippedBenign:
      return 'skipped'
    default:
      return 'deleted'
  }
}

/** Of what was taken over: a task that began once was let go by all that it depends on. */
const endOfUnknown = (task: Task): SettledStatus => {
  if (task.attempt === 0) return 'deleted'
  return task.runIf === 'failure' ? 'failed' : 'success'
}
