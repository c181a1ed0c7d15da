/**
 * Where each kept task is, for millions of them, outside the JavaScript heap: columns of numbers by key, in pages, and
 * a hash table from id to key. About 50 bytes a task. Keys are dense and grow with acceptance, so that the order of the
 * pages is the order of creation; a page goes when its last task does.
 */
import { CODES } from './heads.ts'

const PAGE_KEYS = 8192

/** A task that is not over. */
export const UNFINISHED = 10

class Page {
  readonly batch = new Float64Array(PAGE_KEYS)
  readonly accept = new Float64Array(PAGE_KEYS)
  readonly offset = new Uint32Array(PAGE_KEYS)
  readonly length = new Uint32Array(PAGE_KEYS)
  readonly hash = new Uint32Array(PAGE_KEYS)
  readonly code = new Uint8Array(PAGE_KEYS)
  used = 0
}

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
  readonly #table = new HashTable()
  finished = 0
  unfinished = 0

  /** Notes an unfinished task, and the accept record that holds it. */
  addUnfinished(key: number, hash: number, accept: number): void {
    const page = this.#pageFor(key)
    const at = key % PAGE_KEYS
    const code = page.code[at]!
    if (code === 0) {
      page.used++
      this.#table.add(hash, key)
    } else if (code !== UNFINISHED) this.finished--
    if (code !== UNFINISHED) this.unfinished++
    page.hash[at] = hash
    page.accept[at] = accept
    page.code[at] = UNFINISHED
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
    if (before === 0) {
      page.used++
      this.#table.add(hash, key)
    } else if (before === UNFINISHED) this.unfinished--
    if (before === 0 || before === UNFINISHED) this.finished++
    page.hash[at] = hash
    page.code[at] = code
    page.batch[at] = batch
    page.offset[at] = offset
    page.length[at] = length
  }

  remove(key: number): void {
    const number = Math.floor(key / PAGE_KEYS)
    const page = this.#pages.get(number)
    const at = key % PAGE_KEYS
    if (page === undefined || page.code[at] === 0) return
    if (page.code[at] === UNFINISHED) this.unfinished--
    else this.finished--
    page.code[at] = CODES.removed
    this.#table.remove(page.hash[at]!, key)
    page.used--
    if (page.used > 0) return
    this.#pages.delete(number)
    this.#order = this.#order.filter((other) => other !== number)
  }

  /** {@link CODES}, {@link UNFINISHED}, or 0 where there is no such task. */
  code(key: number): number {
    return this.#pages.get(Math.floor(key / PAGE_KEYS))?.code[key % PAGE_KEYS] ?? 0
  }

  hash(key: number): number {
    return this.#pages.get(Math.floor(key / PAGE_KEYS))?.hash[key % PAGE_KEYS] ?? 0
  }

  /** The accept record that the task came with. */
  accept(key: number): number {
    return this.#pages.get(Math.floor(key / PAGE_KEYS))?.accept[key % PAGE_KEYS] ?? 0
  }

  /** Of a task that is over; `null` for any other. */
  place(key: number): Place | null {
    const page = this.#pages.get(Math.floor(key / PAGE_KEYS))
    const at = key % PAGE_KEYS
    if (page === undefined || page.code[at] === 0 || page.code[at] === UNFINISHED) return null
    return { batch: page.batch[at]!, offset: page.offset[at]!, length: page.length[at]! }
  }

  /** Whether some key's id has this hash. */
  has(hash: number): boolean {
    return this.#table.has(hash)
  }

  /** Keys whose id has this hash: usually one. */
  candidates(hash: number): number[] {
    return this.#table.find(hash)
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

  #pageFor(key: number): Page {
    const number = Math.floor(key / PAGE_KEYS)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Page()
      this.#pages.set(number, page)
      const last = this.#order.at(-1)
      this.#order.push(number)
      if (last !== undefined && last > number) this.#order.sort((a, b) => a - b)
    }
    return page
  }
}

/** FNV-1a over the id's UTF-16 units. */
export const hashOf = (id: string): number => {
  let hash = 0x811c9dc5
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

const PARTS = 256
const EMPTY = 0
const GONE = -1

/**
 * Hash → key, several keys for one hash allowed. In parts by the hash's upper bits, so that growing moves a few
 * thousand entries at a time and nobody notices.
 */
class HashTable {
  readonly #parts: Part[] = Array.from({ length: PARTS }, () => new Part())

  add(hash: number, key: number): void {
    this.#parts[hash >>> 24]!.add(hash, key)
  }

  remove(hash: number, key: number): void {
    this.#parts[hash >>> 24]!.remove(hash, key)
  }

  has(hash: number): boolean {
    return this.#parts[hash >>> 24]!.has(hash)
  }

  find(hash: number): number[] {
    return this.#parts[hash >>> 24]!.find(hash)
  }
}

/** Open addressing, linear probing. A place holds key + 1, 0 for empty, -1 for one that was removed. */
class Part {
  #hashes = new Uint32Array(16)
  #keys = new Float64Array(16)
  /** Places that are not empty. */
  #taken = 0
  #live = 0

  add(hash: number, key: number): void {
    if (this.#taken * 4 >= this.#keys.length * 3) this.#resize()
    this.#put(hash, key + 1)
    this.#live++
  }

  remove(hash: number, key: number): void {
    const mask = this.#keys.length - 1
    for (let at = hash & mask; this.#keys[at] !== EMPTY; at = (at + 1) & mask) {
      if (this.#keys[at] !== key + 1) continue
      this.#keys[at] = GONE
      this.#live--
      return
    }
  }

  has(hash: number): boolean {
    const mask = this.#keys.length - 1
    for (let at = hash & mask; this.#keys[at] !== EMPTY; at = (at + 1) & mask) {
      if (this.#hashes[at] === hash && this.#keys[at] !== GONE) return true
    }
    return false
  }

  find(hash: number): number[] {
    const found: number[] = []
    const mask = this.#keys.length - 1
    for (let at = hash & mask; this.#keys[at] !== EMPTY; at = (at + 1) & mask) {
      if (this.#hashes[at] === hash && this.#keys[at] !== GONE) found.push(this.#keys[at]! - 1)
    }
    return found
  }

  #put(hash: number, stored: number): void {
    const mask = this.#keys.length - 1
    let at = hash & mask
    while (this.#keys[at] !== EMPTY) at = (at + 1) & mask
    this.#keys[at] = stored
    this.#hashes[at] = hash
    this.#taken++
  }

  #resize(): void {
    const hashes = this.#hashes
    const keys = this.#keys
    const size = this.#live * 2 >= keys.length ? keys.length * 2 : keys.length
    this.#hashes = new Uint32Array(size)
    this.#keys = new Float64Array(size)
    this.#taken = 0
    for (let at = 0; at < keys.length; at++) {
      if (keys[at]! > 0) this.#put(hashes[at]!, keys[at]!)
    }
  }
}
