/**
 * How much a server says in one message, seen while it comes in. Beside its bytes its values count: `[]` is three bytes
 * here and fifty in memory, and a thread that asks for very much at once ends the whole process, not itself alone.
 */

export interface MessageLimits {
  readonly maxBytes: number
  /** Of all arrays and objects together, items and members. */
  readonly maxValues: number
}

const NEWLINE = 10
const RETURN = 13
const QUOTE = 34
const COMMA = 44
const BRACKET = 91
const BACKSLASH = 92
const BRACE = 123

export class MessageSize {
  readonly #limits: MessageLimits
  #bytes = 0
  #values = 0
  #isText = false
  #isEscaped = false
  #last = 0

  constructor(limits: MessageLimits) {
    this.#limits = limits
  }

  /** @throws where the message has more than it may */
  add(part: Uint8Array): void {
    for (let at = 0; at < part.length; at++) this.#see(part[at]!)
    this.#add(part.length)
  }

  /** The same of a stream of events, of which each ends with an empty line. @throws likewise */
  addEvents(part: Uint8Array): void {
    let start = 0
    for (let at = 0; at < part.length; at++) {
      const byte = part[at]!
      const isLineEnd = byte === RETURN || (byte === NEWLINE && this.#last !== RETURN)
      if (isLineEnd && (this.#last === NEWLINE || this.#last === RETURN)) {
        this.#add(at - start)
        this.clear()
        start = at
      }
      this.#see(byte)
    }
    this.#add(part.length - start)
  }

  /** Another message begins. */
  clear(): void {
    this.#bytes = 0
    this.#values = 0
    this.#isText = false
    this.#isEscaped = false
  }

  #see(byte: number): void {
    this.#last = byte
    if (this.#isText) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === BACKSLASH) this.#isEscaped = true
      // No text of JSON goes on in another line.
      else if (byte === QUOTE || byte === NEWLINE || byte === RETURN) this.#isText = false
    } else if (byte === QUOTE) this.#isText = true
    else if (byte === COMMA || byte === BRACKET || byte === BRACE) this.#values++
  }

  #add(bytes: number): void {
    const { maxBytes, maxValues } = this.#limits
    this.#bytes += bytes
    if (this.#bytes > maxBytes) throw new Error(`its message has more than ${maxBytes} bytes`)
    if (this.#values > maxValues) throw new Error(`its message has more than ${maxValues} values`)
  }
}
