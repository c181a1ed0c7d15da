/** Texts as C takes them: an array of addresses with a null at its end, each of a text with a NUL at its end. */
import type { Libc } from './libc.ts'

const FIRST_BYTES = 4096
const FIRST_WORDS = 128
/** UTF-8 of one unit of a JavaScript string has three bytes at most. */
const MOST_BYTES = 3
/** An address is two of these, the lower one first, as on every machine that this is made for. */
const WORD = 2 ** 32

const NONE = new Uint32Array(0)

export class CStrings {
  readonly #libc: Libc
  #bytes = Buffer.alloc(0)
  #address = 0
  #words = new Uint32Array(FIRST_WORDS)

  constructor(libc: Libc) {
    this.#libc = libc
  }

  /**
   * Lays out `texts`, of which none holds a NUL, and after them what `more` points to. What it returns is good until
   * the next call; it holds no text by itself, so this object must be kept.
   */
  layOut(texts: readonly string[], more: Uint32Array = NONE): Uint32Array {
    const joined = `${texts.join('\0')}\0`
    if (MOST_BYTES * joined.length > this.#bytes.length) this.#growTo(MOST_BYTES * joined.length)
    const end = 2 * texts.length + more.length
    if (end + 2 > this.#words.length) this.#words = new Uint32Array(2 * end + 2)
    const words = this.#words
    const isAscii = this.#bytes.write(joined) === joined.length
    let address = this.#address
    texts.forEach((text, index) => {
      // What is written is cut to 32 bits.
      words[2 * index] = address
      words[2 * index + 1] = address / WORD
      address += (isAscii ? text.length : Buffer.byteLength(text)) + 1
    })
    words.set(more, 2 * texts.length)
    words[end] = 0
    words[end + 1] = 0
    return words
  }

  #growTo(bytes: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(bytes, FIRST_BYTES))
    // No process has memory beyond 2 ** 52.
    this.#address = Number(this.#libc.address(this.#bytes))
  }
}
