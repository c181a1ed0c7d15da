/**
 * The records of one group, one after the other in one buffer, which the next group uses again: LMDB reads them where
 * they are, until the group is committed.
 */

const FIRST_BYTES = 256 * 1024
/** A larger buffer is not kept. */
const MOST_KEPT_BYTES = 8 * 1024 * 1024
/** Text is gathered up to this length: fewer and larger pieces are encoded faster, short ones die young. */
const PIECE_UNITS = 16 * 1024

export class RecordBuffer {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  /** Where the record that is being written begins, and how far it is. */
  #start = 0
  #end = 0
  #piece = ''

  /** Forgets all records: nobody reads them any more. */
  clear(): void {
    if (this.#bytes.length > MOST_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
    this.#start = 0
    this.#end = 0
  }

  /** Goes on with the record that is being written. */
  write(text: string): void {
    this.#piece += text
    if (this.#piece.length >= PIECE_UNITS) this.#encode()
  }

  /** Ends the record. */
  end(): Buffer {
    this.#encode()
    const record = this.#bytes.subarray(this.#start, this.#end)
    // Numbers are put at multiples of eight.
    this.#start = this.#end = Math.ceil(this.#end / 8) * 8
    return record
  }

  /** A record of `bytes` bytes, to be filled. */
  take(bytes: number): Buffer {
    this.#reserve(bytes)
    this.#end = this.#start + bytes
    return this.end()
  }

  #encode(): void {
    const piece = this.#piece
    if (piece === '') return
    this.#piece = ''
    // A UTF-16 unit has three bytes at most.
    this.#reserve(piece.length * 3)
    this.#end += this.#bytes.write(piece, this.#end)
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    const begun = this.#bytes.subarray(this.#start, this.#end)
    // The records before stay in the old one.
    const size = Math.max(this.#bytes.length, (begun.length + bytes) * 2)
    this.#bytes = Buffer.allocUnsafeSlow(size)
    begun.copy(this.#bytes)
    this.#start = 0
    this.#end = begun.length
  }
}
