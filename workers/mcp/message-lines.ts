/** Cuts what a server writes into lines, of which each is one message. */
import { type MessageLimits, MessageSize } from './message-size.ts'

const NEWLINE = 10

export class MessageLines {
  /** These two are of the line that is not over yet. */
  readonly #size: MessageSize
  #chunks: Buffer[] = []

  constructor(limits: MessageLimits) {
    this.#size = new MessageSize(limits)
  }

  /**
   * The lines that end in `chunk`; an empty one is none.
   * @throws where one of them, or the one that goes on, is larger than a message may be
   */
  append(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#extend(chunk.subarray(start, end))
      const line = Buffer.concat(this.#chunks).toString('utf8').trim()
      if (line !== '') lines.push(line)
      this.clear()
      start = end + 1
    }
    this.#extend(chunk.subarray(start))
    return lines
  }

  clear(): void {
    this.#chunks = []
    this.#size.clear()
  }

  #extend(part: Buffer): void {
    this.#size.add(part)
    if (part.length > 0) this.#chunks.push(part)
  }
}
