/**
 * What a command printed, within a fixed amount of memory: all of it up to the limit, and beyond that the first
 * half of the limit and the last.
 *
 * ```
 * bytes:  [ head ………… | tail, a ring once the limit is reached ]
 *          0    headLimit ^ next: the oldest byte of the tail   limit
 * ```
 */

/** The text kept, and how many bytes were left out between its halves. */
export interface BoundedText {
  readonly text: string
  readonly truncatedBytes: number
}

const EMPTY: Buffer = Buffer.alloc(0)
const FIRST_GROWTH_BYTES = 4096

const isContinuation = (byte: number): boolean => (byte & 0b1100_0000) === 0b1000_0000

/** How many bytes the character that this byte leads has; 1 for what leads none. */
const characterBytes = (lead: number): number => {
  if (lead >= 0b1111_0000) return 4
  if (lead >= 0b1110_0000) return 3
  return lead >= 0b1100_0000 ? 2 : 1
}

/** `bytes` without a character at its end that is cut in two. */
export const withoutPartialEnd = (bytes: Buffer): Buffer => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (isContinuation(byte)) continue
    return characterBytes(byte) > back ? bytes.subarray(0, bytes.length - back) : bytes
  }
  return bytes
}

/** `bytes` without the rest of a character that began before it. */
const withoutPartialStart = (bytes: Buffer): Buffer => {
  let start = 0
  while (start < Math.min(3, bytes.length) && isContinuation(bytes[start]!)) start++
  return bytes.subarray(start)
}

export class BoundedOutput {
  readonly #limitBytes: number
  readonly #headBytes: number
  #bytes = EMPTY
  /** How much of `#bytes` is filled, up to the limit. */
  #filled = 0
  /** Where the ring goes on, once the limit is reached. */
  #next: number
  #total = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
    this.#headBytes = Math.floor(limitBytes / 2)
    this.#next = this.#headBytes
  }

  /** Bytes that arrived, kept or not. */
  get totalBytes(): number {
    return this.#total
  }

  /** Takes `chunk` over: nobody may write to it afterwards. */
  append(chunk: Buffer): void {
    this.#total += chunk.length
    if (this.#filled === 0 && chunk.length <= this.#limitBytes) {
      // Most commands print one short chunk: it is kept as it is.
      this.#bytes = chunk
      this.#filled = chunk.length
      return
    }
    const taken = Math.min(chunk.length, this.#limitBytes - this.#filled)
    if (taken > 0) {
      this.#reserve(this.#filled + taken)
      chunk.copy(this.#bytes, this.#filled, 0, taken)
      this.#filled += taken
    }
    if (taken < chunk.length) this.#turn(chunk.subarray(taken))
  }

  finish(): BoundedText {
    if (this.#total <= this.#limitBytes) {
      return { text: this.#bytes.toString('utf8', 0, this.#filled), truncatedBytes: 0 }
    }
    const head = withoutPartialEnd(this.#bytes.subarray(0, this.#headBytes))
    const oldest = this.#bytes.subarray(this.#next, this.#limitBytes)
    const newest = this.#bytes.subarray(this.#headBytes, this.#next)
    const tail = withoutPartialStart(Buffer.concat([oldest, newest]))
    return {
      text: head.toString('utf8') + tail.toString('utf8'),
      truncatedBytes: this.#total - head.length - tail.length,
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return
    const wanted = Math.max(bytes, this.#bytes.length * 2, FIRST_GROWTH_BYTES)
    const grown = Buffer.allocUnsafeSlow(Math.min(wanted, this.#limitBytes))
    this.#bytes.copy(grown, 0, 0, this.#filled)
    this.#bytes = grown
  }

  /** Writes into the ring of the tail, over its oldest bytes. */
  #turn(chunk: Buffer): void {
    const ringBytes = this.#limitBytes - this.#headBytes
    if (chunk.length >= ringBytes) {
      chunk.copy(this.#bytes, this.#headBytes, chunk.length - ringBytes)
      this.#next = this.#headBytes
      return
    }
    const untilEnd = Math.min(chunk.length, this.#limitBytes - this.#next)
    chunk.copy(this.#bytes, this.#next, 0, untilEnd)
    chunk.copy(this.#bytes, this.#headBytes, untilEnd)
    this.#next += chunk.length
    if (this.#next >= this.#limitBytes) this.#next -= ringBytes
  }
}
