/** Bytes that are gathered for one write to a file. */

const BYTES = 1024 * 1024
/** One that a large text made larger is not kept. */
const MOST_KEPT_BYTES = 4 * BYTES
/** Fewer are copied sooner one by one than by a call, which makes an object first. */
const FEW = 48

export class Piece {
  #bytes = Buffer.allocUnsafeSlow(2 * BYTES)
  #end = 0

  /** Whether it is time to {@link take} it. */
  get isFull(): boolean {
    return this.#end >= BYTES
  }

  write(bytes: Buffer, from = 0, to = bytes.length): void {
    const end = this.#end + to - from
    if (end > this.#bytes.length) this.#grow(end)
    if (to - from <= FEW)
      for (let at = from, into = this.#end; at < to; at++, into++) this.#bytes[into] = bytes[at]!
    else bytes.copy(this.#bytes, this.#end, from, to)
    this.#end = end
  }

  /** What was gathered: its memory is used again by the next write. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#end)
    if (this.#bytes.length > MOST_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(2 * BYTES)
    this.#end = 0
    return taken
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(2 * needed)
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }
}
