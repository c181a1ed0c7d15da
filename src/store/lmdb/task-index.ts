/**
 * Where each kept task is, for millions of them, outside the JavaScript heap: columns of numbers by key, in pages, and
 * a hash table from id to key. About 50 bytes a task. Keys are dense and grow with acceptance, so that the order of the
 * pages is the order of creation; a page goes when its last task does.
 *
 * Tasks under way are in it as well, as what they are: the scheduler's objects.
 */
import type { Task } from '../../domain/task.ts'
import type { Facets } from '../task-page.ts'
import { Kinds, UNKNOWN } from './facets.ts'
import { HashTable, hashOf } from './hash-table.ts'
import { CODES } from './heads.ts'
import { findIn, Page, PAGE_KEYS, type Wanted } from './index-page.ts'

/** A task that is not over. */
export const UNFINISHED = 10
/** One that was handed in and is not being written yet. */
export const WAITING = 11

/** Where a finished task's text is. */
export interface Place {
  readonly batch: number
  readonly offset: number
  readonly length: number
}

export class TaskIndex {
  readonly #pages = new Map<number, Page>()
  /** Page numbers in rising order. */
  #order: number[] = []
  /** The page that was asked for last: neighbours come together. */
  #last: Page | null = null
  readonly #table = new HashTable()
  readonly #isByKeyOnly: boolean
  readonly kinds = new Kinds()
  finished = 0

  /** @param isByKeyOnly no task in it will be looked for by its id */
  constructor(isByKeyOnly = false) {
    this.#isByKeyOnly = isByKeyOnly
  }

  /** Notes a task that was handed in. Returns whether its id may be known already. */
  add(task: Task): boolean {
    const page = this.#pageFor(task.key)
    const at = task.key % PAGE_KEYS
    const hash = hashOf(task.id)
    page.used++
    page.hash[at] = hash
    page.code[at] = WAITING
    page.kind[at] = this.kinds.codeOf(task.type, task.toolName)
    page.ids.widen(at, task.id)
    this.#hold(page, at, task)
    return this.#table.add(hash, task.key)
  }

  /** What was handed in is not being written: not yet, or not any more. */
  setWaiting(key: number): void {
    this.#pageFor(key).code[key % PAGE_KEYS] = WAITING
  }

  /** Notes an unfinished task, and the accept record that holds it. */
  setUnfinished(key: number, accept: number): void {
    const page = this.#pageFor(key)
    page.accept[key % PAGE_KEYS] = accept
    page.code[key % PAGE_KEYS] = UNFINISHED
  }

  /** The same of a task that is read back, or was over. */
  addUnfinished(key: number, hash: number, accept: number): void {
    const page = this.#pageFor(key)
    const code = page.code[key % PAGE_KEYS]!
    if (code === 0) this.#enter(page, key, hash)
    else if (isFinished(code)) this.finished--
    this.setUnfinished(key, accept)
  }

  /** Notes the accept record that still holds a task that is over. */
  setAccept(key: number, accept: number): void {
    this.#pageFor(key).accept[key % PAGE_KEYS] = accept
  }

  /** Notes where a task that is over now lies. */
  setFinished(key: number, hash: number, code: number, batch: number, offset: number, length: number): void {
    const page = this.#pageFor(key)
    const at = key % PAGE_KEYS
    const before = page.code[at]!
    if (before === 0) this.#enter(page, key, hash)
    if (!isFinished(before)) this.finished++
    page.code[at] = code
    page.batch[at] = batch
    page.offset[at] = offset
    page.length[at] = length
  }

  /** Forgets a record. Its task, where nobody was told that it is over, stays until it is dropped. */
  remove(key: number): void {
    const page = this.#pageOf(key)
    const at = key % PAGE_KEYS
    if (page === null || page.code[at] === 0) return
    if (isFinished(page.code[at]!)) this.finished--
    page.code[at] = CODES.removed
    if (page.kind[at] === UNKNOWN) page.ids.countUnknown(at, -1)
    this.#table.remove(page.hash[at]!, key)
    page.used--
    this.#dropIfEmpty(page)
  }

  /** Holds a task that is not over, where it is found by its key. */
  hold(task: Task): void {
    this.#hold(this.#pageFor(task.key), task.key % PAGE_KEYS, task)
    if (this.isUnknown(task.key)) this.learn(task.key, task)
  }

  /** Whether what lists are filtered by is to be learnt of a task. */
  isUnknown(key: number): boolean {
    return this.#pageOf(key)?.kind[key % PAGE_KEYS] === UNKNOWN
  }

  /** Notes what lists are filtered by, of a task that {@link isUnknown}. */
  learn(key: number, { id, type, toolName }: Facets): void {
    const page = this.#pageFor(key)
    const at = key % PAGE_KEYS
    page.kind[at] = this.kinds.codeOf(type, toolName)
    page.ids.widen(at, id)
    if (page.code[at] !== 0) page.ids.countUnknown(at, -1)
  }

  /** Lets go of a task: it is over, and those who asked were told; or it is gone. */
  drop(key: number): void {
    const page = this.#pageOf(key)
    const at = key % PAGE_KEYS
    if (page === null || page.tasks === null || page.tasks[at] === null) return
    page.tasks[at] = null
    page.underWay--
    // The newest page gets more of them.
    if (page.underWay === 0 && page.number !== this.#order.at(-1)) page.tasks = null
    this.#dropIfEmpty(page)
  }

  /** The task with this key, until it is dropped. */
  task(key: number): Task | null {
    return this.#pageOf(key)?.tasks?.[key % PAGE_KEYS] ?? null
  }

  /** Tasks with `count` keys from `from` on, that were not dropped. */
  *tasks(from: number, count: number): Iterable<Task> {
    const end = from + count
    for (let key = from; key < end; ) {
      const page = this.#pageOf(key)
      const pageEnd = Math.min(end, (Math.floor(key / PAGE_KEYS) + 1) * PAGE_KEYS)
      if (page !== null && page.underWay > 0) {
        for (; key < pageEnd; key++) {
          const task = page.tasks?.[key % PAGE_KEYS]
          if (task != null) yield task
        }
      }
      key = pageEnd
    }
  }

  /** The newest task of this id that was not dropped, but for the one with this key. */
  taskOf(id: string, but = -1): Task | null {
    return this.newest(this.candidates(id), id, but)
  }

  /** As {@link taskOf}, of the {@link candidates} of the id. */
  newest(keys: readonly number[], id: string, but = -1): Task | null {
    let newest: Task | null = null
    for (const key of keys) {
      const task = key === but ? null : this.task(key)
      if (task !== null && task.id === id && (newest === null || task.key > newest.key)) newest = task
    }
    return newest
  }

  /** {@link CODES}, {@link UNFINISHED}, {@link WAITING}, or 0 where there is no such task. */
  code(key: number): number {
    return this.#pageOf(key)?.code[key % PAGE_KEYS] ?? 0
  }

  hash(key: number): number {
    return this.#pageOf(key)?.hash[key % PAGE_KEYS] ?? 0
  }

  /** The accept record that the task came with. */
  accept(key: number): number {
    return this.#pageOf(key)?.accept[key % PAGE_KEYS] ?? 0
  }

  /** Of a task that is over; `null` for any other. */
  place(key: number): Place | null {
    const page = this.#pageOf(key)
    const at = key % PAGE_KEYS
    if (page === null || !isFinished(page.code[at]!)) return null
    return { batch: page.batch[at]!, offset: page.offset[at]!, length: page.length[at]! }
  }

  /** Keys whose id has the hash of this one: usually one. */
  candidates(id: string): readonly number[] {
    return this.#table.find(hashOf(id))
  }

  /** Keys from `from` on, in the order of creation. What comes while it is read may be in it or not. */
  *keys(from = 0): Iterable<number> {
    let number = Math.floor(from / PAGE_KEYS)
    for (;;) {
      const page = this.#pages.get(number)
      if (page !== undefined) {
        for (let at = Math.max(0, from - number * PAGE_KEYS); at < PAGE_KEYS; at++) {
          if (page.code[at] !== 0) yield number * PAGE_KEYS + at
        }
      }
      const next = this.#order.find((other) => other > number)
      if (next === undefined) return
      number = next
    }
  }

  /** The nearest key from `from` on, or from there back, in the page of `from`; -1 for none. */
  find(from: number, step: 1 | -1, wanted: Wanted): number {
    const number = Math.floor(from / PAGE_KEYS)
    const page = this.#pages.get(number)
    const found = page === undefined ? -1 : findIn(page, from % PAGE_KEYS, step, wanted)
    return found < 0 ? -1 : number * PAGE_KEYS + found
  }

  /** Where to go on after the page of a key; -1 where no page follows. */
  nextPage(key: number, step: 1 | -1): number {
    const number = Math.floor(key / PAGE_KEYS)
    const isBehind = (other: number): boolean => (other - number) * step > 0
    const next = step > 0 ? this.#order.find(isBehind) : this.#order.findLast(isBehind)
    if (next === undefined) return -1
    return next * PAGE_KEYS + (step > 0 ? 0 : PAGE_KEYS - 1)
  }

  #enter(page: Page, key: number, hash: number): void {
    const at = key % PAGE_KEYS
    page.used++
    page.hash[at] = hash
    if (page.kind[at] === UNKNOWN) page.ids.countUnknown(at, 1)
    if (!this.#isByKeyOnly) this.#table.add(hash, key)
  }

  #hold(page: Page, at: number, task: Task): void {
    page.tasks ??= new Array<Task | null>(PAGE_KEYS).fill(null)
    if (page.tasks[at] === null) page.underWay++
    page.tasks[at] = task
  }

  #pageOf(key: number): Page | null {
    const number = Math.floor(key / PAGE_KEYS)
    if (this.#last?.number === number) return this.#last
    const page = this.#pages.get(number) ?? null
    if (page !== null) this.#last = page
    return page
  }

  #pageFor(key: number): Page {
    return this.#pageOf(key) ?? this.#newPage(Math.floor(key / PAGE_KEYS))
  }

  #newPage(number: number): Page {
    const page = new Page(number)
    const newest = this.#pages.get(this.#order.at(-1) ?? -1)
    if (newest?.underWay === 0) newest.tasks = null
    this.#pages.set(number, page)
    this.#order.push(number)
    if (newest !== undefined && newest.number > number) this.#order.sort((a, b) => a - b)
    this.#last = page
    return page
  }

  #dropIfEmpty(page: Page): void {
    if (page.used + page.underWay > 0) return
    this.#pages.delete(page.number)
    this.#order = this.#order.filter((other) => other !== page.number)
    if (this.#last === page) this.#last = null
  }
}

const isFinished = (code: number): boolean => code > CODES.removed && code < UNFINISHED
