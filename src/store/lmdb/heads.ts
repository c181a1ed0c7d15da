/**
 * What is known of the finished tasks of one batch without reading them: their place in the batch's payload and the
 * few facts that the index holds. 40 bytes a task, native byte order (a data directory stays on its kind of machine).
 *
 * ```
 * 0 key f64 · 8 finished f64 · 16 graph f64 · 24 offset u32 · 28 length u32 · 32 hash u32 · 36 code u8 · 37 unused
 * ```
 */

const STRIDE = 40

/** How a finished task ended, in a byte. 0 is an entry whose record was removed. */
export const CODES = {
  removed: 0,
  success: 1,
  failed: 2,
  skipped: 3,
  /** Failed, and was allowed to. */
  failedAllowed: 4,
  /** Skipped because it was not needed. */
  skippedBenign: 5,
} as const

const LAST_CODE = CODES.skippedBenign

export type EndStatus = 'success' | 'failed' | 'skipped'

/** The status behind a code, `null` for a removed entry. */
export const statusOfCode = (code: number): EndStatus | null => {
  switch (code) {
    case CODES.success:
      return 'success'
    case CODES.failed:
    case CODES.failedAllowed:
      return 'failed'
    case CODES.skipped:
    case CODES.skippedBenign:
      return 'skipped'
    default:
      return null
  }
}

export class Heads {
  readonly count: number
  readonly bytes: Buffer
  readonly #f64: Float64Array
  readonly #u32: Uint32Array

  /** @param bytes where they are, at a multiple of eight */
  private constructor(bytes: Buffer) {
    const { buffer, byteOffset, byteLength } = bytes
    this.bytes = bytes
    this.count = byteLength / STRIDE
    this.#f64 = new Float64Array(buffer, byteOffset, byteLength / 8)
    this.#u32 = new Uint32Array(buffer, byteOffset, byteLength / 4)
  }

  /** Of `count` tasks, to be set in the bytes that `take` gives. */
  static make(
    count: number,
    take: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafeSlow(bytes),
  ): Heads {
    return new Heads(take(count * STRIDE))
  }

  /** Reads what was written. */
  static from(bytes: Uint8Array): Heads {
    if (bytes.byteLength % STRIDE !== 0) throw new Error(`a batch's head has ${bytes.byteLength} bytes`)
    return new Heads(Buffer.from(new Uint8Array(bytes).buffer))
  }

  set(
    at: number,
    key: number,
    finishedMs: number,
    graph: number,
    offset: number,
    length: number,
    hash: number,
    code: number,
  ): void {
    this.#f64[at * 5] = key
    this.#f64[at * 5 + 1] = finishedMs
    this.#f64[at * 5 + 2] = graph
    this.#u32[at * 10 + 6] = offset
    this.#u32[at * 10 + 7] = length
    this.#u32[at * 10 + 8] = hash
    this.#u32[at * 10 + 9] = 0
    this.bytes[at * STRIDE + 36] = code
  }

  /** Whether it can be what was written: the texts of a batch lie one behind the other. */
  get isSound(): boolean {
    let end = 0
    for (let at = 0; at < this.count; at++) {
      const isEntry = this.key(at) > 0 && Number.isSafeInteger(this.key(at)) && this.code(at) <= LAST_CODE
      if (!isEntry || this.offset(at) !== end) return false
      end += this.length(at)
    }
    return true
  }

  key(at: number): number {
    return this.#f64[at * 5]!
  }
  finishedMs(at: number): number {
    return this.#f64[at * 5 + 1]!
  }
  graph(at: number): number {
    return this.#f64[at * 5 + 2]!
  }
  offset(at: number): number {
    return this.#u32[at * 10 + 6]!
  }
  length(at: number): number {
    return this.#u32[at * 10 + 7]!
  }
  hash(at: number): number {
    return this.#u32[at * 10 + 8]!
  }
  code(at: number): number {
    return this.bytes[at * STRIDE + 36]!
  }

  /** Marks an entry's record as removed. */
  remove(at: number): void {
    this.bytes[at * STRIDE + 36] = CODES.removed
  }

  /** Entries whose record is still there. */
  get live(): number {
    let live = 0
    for (let at = 0; at < this.count; at++) if (this.code(at) !== CODES.removed) live++
    return live
  }

  /** The place of a key's entry that is still there, -1 for none. */
  placeOf(key: number): number {
    for (let at = 0; at < this.count; at++)
      if (this.key(at) === key && this.code(at) !== CODES.removed) return at
    return -1
  }
}
