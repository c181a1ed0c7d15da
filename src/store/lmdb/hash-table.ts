let lastId = ''
let lastHash = 0x811c9dc5

/** FNV-1a over the id's UTF-16 units. The last one is kept: a request asks for the same id several times. */
export const hashOf = (id: string): number => {
  if (id === lastId) return lastHash
  let hash = 0x811c9dc5
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193)
  lastId = id
  lastHash = hash >>> 0
  return lastHash
}

const PARTS = 256

/**
 * Hash → key, several keys for one hash allowed, in typed arrays. In parts by the hash's upper bits, so that growing
 * moves a few thousand entries at a time and nobody notices.
 */
export class HashTable {
  readonly #parts: Part[] = Array.from({ length: PARTS }, () => new Part())

  /** Returns whether the hash was there already. */
  add(hash: number, key: number): boolean {
    return this.#parts[hash >>> 24]!.add(hash, key)
  }

  remove(hash: number, key: number): void {
    this.#parts[hash >>> 24]!.remove(hash, key)
  }

  find(hash: number): readonly number[] {
    return this.#parts[hash >>> 24]!.find(hash)
  }
}

/** Of one place: the lower and the upper half of key + 1, and the hash. All three in one line of the cache, mostly. */
const WIDTH = 3
const HALF = 2 ** 32
/** The upper half where a key was removed; both are 0 where there never was one. */
const GONE = 0xffffffff

/** Open addressing, linear probing. */
class Part {
  #places = 16
  #table = new Uint32Array(WIDTH * 16)
  /** Places that are not empty. */
  #taken = 0
  #live = 0

  add(hash: number, key: number): boolean {
    if (this.#taken * 4 >= this.#places * 3) this.#resize()
    this.#live++
    return this.#put(hash, (key + 1) % HALF, Math.floor((key + 1) / HALF))
  }

  remove(hash: number, key: number): void {
    const table = this.#table
    const lower = (key + 1) % HALF
    const upper = Math.floor((key + 1) / HALF)
    for (let place = hash & (this.#places - 1); ; place = (place + 1) & (this.#places - 1)) {
      const at = place * WIDTH
      if ((table[at]! | table[at + 1]!) === 0) return
      if (table[at] !== lower || table[at + 1] !== upper) continue
      table[at + 1] = GONE
      this.#live--
      return
    }
  }

  find(hash: number): readonly number[] {
    let found: number[] | null = null
    const table = this.#table
    for (let place = hash & (this.#places - 1); ; place = (place + 1) & (this.#places - 1)) {
      const at = place * WIDTH
      const lower = table[at]!
      const upper = table[at + 1]!
      if ((lower | upper) === 0) return found ?? NONE
      if (table[at + 2] !== hash || upper === GONE) continue
      found ??= []
      found.push(upper * HALF + lower - 1)
    }
  }

  /** Returns whether the hash was met on the way to an empty place: all that have it are on that way. */
  #put(hash: number, lower: number, upper: number): boolean {
    const table = this.#table
    let isKnown = false
    let at = (hash & (this.#places - 1)) * WIDTH
    for (; (table[at]! | table[at + 1]!) !== 0; at = at + WIDTH === table.length ? 0 : at + WIDTH) {
      if (table[at + 2] === hash && table[at + 1] !== GONE) isKnown = true
    }
    table[at] = lower
    table[at + 1] = upper
    table[at + 2] = hash
    this.#taken++
    return isKnown
  }

  #resize(): void {
    const table = this.#table
    if (this.#live * 2 >= this.#places) this.#places *= 2
    this.#table = new Uint32Array(WIDTH * this.#places)
    this.#taken = 0
    for (let at = 0; at < table.length; at += WIDTH) {
      const lower = table[at]!
      const upper = table[at + 1]!
      if ((lower | upper) !== 0 && upper !== GONE) this.#put(table[at + 2]!, lower, upper)
    }
  }
}

const NONE: readonly number[] = []
