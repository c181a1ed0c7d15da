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

/** Open addressing, linear probing. A place holds key + 1, 0 for empty, -1 for one that was removed. */
class Part {
  #hashes = new Uint32Array(16)
  #keys = new Float64Array(16)
  /** Places that are not empty. */
  #taken = 0
  #live = 0

  add(hash: number, key: number): boolean {
    if (this.#taken * 4 >= this.#keys.length * 3) this.#resize()
    this.#live++
    return this.#put(hash, key + 1)
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

  find(hash: number): readonly number[] {
    let found: number[] | null = null
    const mask = this.#keys.length - 1
    for (let at = hash & mask; this.#keys[at] !== EMPTY; at = (at + 1) & mask) {
      if (this.#hashes[at] !== hash || this.#keys[at] === GONE) continue
      found ??= []
      found.push(this.#keys[at]! - 1)
    }
    return found ?? NONE
  }

  /** Returns whether the hash was met on the way to an empty place: all that have it are on that way. */
  #put(hash: number, stored: number): boolean {
    const mask = this.#keys.length - 1
    let isKnown = false
    let at = hash & mask
    for (; this.#keys[at] !== EMPTY; at = (at + 1) & mask) {
      if (this.#hashes[at] === hash && this.#keys[at] !== GONE) isKnown = true
    }
    this.#keys[at] = stored
    this.#hashes[at] = hash
    this.#taken++
    return isKnown
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

const NONE: readonly number[] = []
