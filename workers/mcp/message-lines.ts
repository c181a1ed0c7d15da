/** Cuts what a server writes into lines, of which each is one message. */

const NEWLINE = 10

export class MessageLines {
  readonly #maxBytes: number
  /** Of the line that is not over yet. */
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * The lines that end in `chunk`; an empty one is none.
   * @throws where the one that goes on has more than the most bytes
   */
  append(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#extend(chunk.subarray(start, end))
      const line = Buffer.concat(this.#chunks, this.#bytes).toString('utf8').trim()
      if (line !== '') lines.push(line)
      this.clear()
      start = end + 1
    }
    this.#extend(chunk.subarray(start))
    return lines
  }

  clear(): void {
    this.#chunks = []
    this.#bytes = 0
  }

  #extend(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > this.#maxBytes)
      throw new Error(`it wrote a message of more than ${this.#maxBytes} bytes`)
    if (part.length > 0) this.#chunks.push(part)
  }
}
