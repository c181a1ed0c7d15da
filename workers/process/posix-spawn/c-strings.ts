/** Texts as C takes them: an array of addresses with a null at its end, each of a text with a NUL at its end. */
import type { Libc } from './libc.ts'

const FIRST_BYTES = 4096
const FIRST_TEXTS = 64
/** UTF-8 of one unit of a JavaScript string has three bytes at most. */
const MOST_BYTES = 3

const NONE = new BigUint64Array(0)

export class CStrings {
  readonly #libc: Libc
  #bytes = Buffer.alloc(0)
  #address = 0n
  #addresses = new BigUint64Array(FIRST_TEXTS)

  constructor(libc: Libc) {
    this.#libc = libc
  }

  /**
   * Lays out `texts`, and after them what `more` points to. What it returns is good until the next call; it holds no
   * text by itself, so this object must be kept.
   */
  layOut(texts: readonly string[], more: BigUint64Array = NONE): BigUint64Array {
    const bytes = texts.reduce((sum, text) => sum + MOST_BYTES * text.length + 1, 0)
    if (bytes > this.#bytes.length) this.#growTo(bytes)
    const count = texts.length + more.length
    if (count >= this.#addresses.length) this.#addresses = new BigUint64Array(2 * count)
    let at = 0
    texts.forEach((text, index) => {
      this.#addresses[index] = this.#address + BigInt(at)
      at += this.#bytes.write(text, at)
      this.#bytes[at++] = 0
    })
    this.#addresses.set(more, texts.length)
    this.#addresses[count] = 0n
    return this.#addresses
  }

  #growTo(bytes: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(bytes, FIRST_BYTES))
    this.#address = this.#libc.address(this.#bytes)
  }
}
