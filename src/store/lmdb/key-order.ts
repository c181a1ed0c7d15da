import { damaged, type Page, u64 } from './pages.ts'

/** Keys rise over a whole tree, as bytes or as numbers; a branch's may be that of the first node below it. */
export class KeyOrder {
  readonly #isNumeric: boolean
  #kept: Buffer = Buffer.alloc(0)
  /** Where the key before is. */
  #bytes: Buffer = this.#kept
  #at = 0
  #length = 0
  #isOfBranch = true

  constructor(isNumeric: boolean) {
    this.#isNumeric = isNumeric
  }

  check({ number, bytes }: Page, at: number, length: number, isOfBranch: boolean): void {
    if (this.#isNumeric ? length !== 8 : length === 0)
      throw damaged(`page ${number} has a key that cannot be`)
    const order = this.#compare(bytes, at, length)
    if (order < 0 || (order === 0 && (isOfBranch || !this.#isOfBranch)))
      throw damaged(`page ${number} has keys out of order`)
    this.#bytes = bytes
    this.#at = at
    this.#length = length
    this.#isOfBranch = isOfBranch
    if (isOfBranch) this.keep()
  }

  /** Below 0 where the key is before the last one. */
  #compare(bytes: Buffer, at: number, length: number): number {
    if (this.#isNumeric) return this.#length === 0 ? 1 : u64(bytes, at) - u64(this.#bytes, this.#at)
    const shorter = Math.min(length, this.#length)
    for (let place = 0; place < shorter; place++) {
      const difference = bytes[at + place]! - this.#bytes[this.#at + place]!
      if (difference !== 0) return difference
    }
    return length - this.#length
  }

  /** Copies the last key: its page makes room for another. */
  keep(): void {
    if (this.#kept.length < this.#length) this.#kept = Buffer.alloc(this.#length)
    this.#bytes.copy(this.#kept, 0, this.#at, this.#at + this.#length)
    this.#bytes = this.#kept
    this.#at = 0
  }
}
