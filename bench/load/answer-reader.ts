/**
 * Reads the answers of one connection out of the bytes that come in, wherever they are cut. It looks only at what it
 * has to: the status, and where the body ends (by Content-Length or in chunks).
 *
 * ```
 * head ─► counted ──────────────────────────► done
 *    └──► size ─► data ─► size … ─► trailer ─► done
 * ```
 */
type State = 'head' | 'counted' | 'size' | 'data' | 'trailer'

const HEAD_END = Buffer.from('\r\n\r\n')
const LF = 10

export class AnswerReader {
  status = 0
  /** Whether the body of the next answer is kept for `text`. */
  keepsBody = false
  #state: State = 'head'
  #left = 0
  /** A head or a line that is cut. */
  #rest = ''
  #parts: Buffer[] = []

  /** The body of the answer that is complete, where it was kept. */
  get text(): string {
    return Buffer.concat(this.#parts).toString('utf8')
  }

  /** Takes the first `size` bytes of `bytes`. True when they complete the answer; what follows is no answer's. */
  push(bytes: Buffer, size: number): boolean {
    let at = 0
    if (this.#state === 'head') {
      at = this.#readHead(bytes, size)
      if (at < 0) return false
    }
    if (this.#state === 'counted') {
      const taken = Math.min(this.#left, size - at)
      this.#keep(bytes, at, at + taken)
      this.#left -= taken
      return this.#left === 0 && this.#done()
    }
    return this.#readChunks(bytes, at, size)
  }

  /** Where the body begins, or -1 when the head is not complete. */
  #readHead(bytes: Buffer, size: number): number {
    if (this.#rest === '') {
      const end = bytes.indexOf(HEAD_END)
      // The buffer is used again and again: past `size` it holds what came before.
      if (end >= 0 && end + 4 <= size) {
        this.#begin(bytes.toString('latin1', 0, end))
        return end + 4
      }
    }
    const before = this.#rest.length
    this.#rest += bytes.toString('latin1', 0, size)
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end < 0) return -1
    this.#begin(this.#rest.slice(0, end))
    this.#rest = ''
    return end + 4 - before
  }

  #begin(head: string): void {
    this.status = Number(head.slice(9, 12))
    if (this.keepsBody) this.#parts = []
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    if (length !== null) {
      this.#left = Number(length[1])
      this.#state = 'counted'
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.#state = 'size'
    } else if (this.status === 204 || this.status === 304) {
      this.#left = 0
      this.#state = 'counted'
    } else {
      throw new Error(`an answer without a length: ${head}`)
    }
  }

  #readChunks(bytes: Buffer, from: number, size: number): boolean {
    let at = from
    while (at < size) {
      if (this.#state === 'data') {
        // #left counts the CRLF behind the chunk too.
        const taken = Math.min(this.#left, size - at)
        this.#keep(bytes, at, at + Math.min(taken, Math.max(0, this.#left - 2)))
        this.#left -= taken
        at += taken
        if (this.#left === 0) this.#state = 'size'
        continue
      }
      const end = bytes.indexOf(LF, at)
      const isCut = end < 0 || end >= size
      this.#rest += bytes.toString('latin1', at, isCut ? size : end)
      if (isCut) return false
      at = end + 1
      const line = this.#rest.trim()
      this.#rest = ''
      if (this.#state === 'trailer') {
        if (line === '') return this.#done()
      } else {
        this.#left = Number.parseInt(line, 16)
        this.#state = this.#left === 0 ? 'trailer' : 'data'
        this.#left += 2
      }
    }
    return false
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    if (this.keepsBody && to > from) this.#parts.push(Buffer.from(bytes.subarray(from, to)))
  }

  #done(): true {
    this.#state = 'head'
    return true
  }
}
