/**
 * The record of one group, and of those before it that are not in the tables yet: one after the other in chunks of
 * memory, which are used again when LMDB has them.
 */
import {
  type Entry,
  entryHeadBytes,
  padded,
  RECORD_HEAD_BYTES,
  setValueLength,
  type TableName,
  writeEntryHead,
} from './entries.ts'

const CHUNK_BYTES = 1024 * 1024
/** Chunks that are kept for later. */
const MOST_SPARE = 8
/** Text is gathered up to this length: fewer and larger pieces are encoded faster, short ones die young. */
const PIECE_UNITS = 16 * 1024

export interface GroupRecord {
  /** With room for the record's head. */
  readonly bytes: Buffer
  readonly entries: readonly Entry[]
}

export class RecordBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  readonly #spare: Buffer[] = []
  /** Chunks with records in them. */
  #used: Buffer[] = [this.#bytes]
  /** Where the record begins, the entry that is being written, its value, and how far it is. */
  #start = 0
  #entryAt = 0
  #valueAt = 0
  #end = 0
  #piece = ''
  #entries: Entry[] = []
  #lastBytes = 0
  #table: TableName = 'accepts'
  #key: number | string = 0

  /** Begins a record, in the place of the last one where that was not kept. */
  begin(): void {
    // One that is as long as the last would have to move.
    if (this.#bytes.length - this.#start < this.#lastBytes && this.#lastBytes <= CHUNK_BYTES)
      this.#nextChunk()
    this.#end = this.#start
    this.#piece = ''
    this.#entries = []
    this.#reserve(RECORD_HEAD_BYTES)
    this.#end += RECORD_HEAD_BYTES
  }

  /** Begins an entry. */
  open(table: TableName, key: number | string): void {
    this.#table = table
    this.#key = key
    this.#head(false)
  }

  /** Goes on with the value of the entry that is being written. */
  write(text: string): void {
    this.#piece += text
    if (this.#piece.length >= PIECE_UNITS) this.#encode()
  }

  /** Ends the entry: its value. */
  close(): Buffer {
    this.#encode()
    const value = this.#bytes.subarray(this.#valueAt, this.#end)
    setValueLength(this.#bytes, this.#entryAt, value.length)
    this.#pad()
    this.#entries.push({ table: this.#table, key: this.#key, value })
    return value
  }

  /** An entry whose value has `bytes` bytes, to be filled before the next one. */
  take(table: TableName, key: number | string, bytes: number): Buffer {
    this.open(table, key)
    this.#reserve(bytes)
    this.#end += bytes
    return this.close()
  }

  /** An entry that removes what is there. */
  remove(table: TableName, key: number | string): void {
    this.#table = table
    this.#key = key
    this.#head(true)
    this.#entries.push({ table, key, value: null })
  }

  /** Ends the record. */
  end(): GroupRecord {
    const bytes = this.#bytes.subarray(this.#start, this.#end)
    this.#lastBytes = bytes.length
    const entries = this.#entries
    this.#entries = []
    return { bytes, entries }
  }

  /** The record that was ended stays where it is, until its chunk is let go of. */
  keep(): void {
    this.#start = this.#end
  }

  /** Lets go of the records so far, and of the chunks that they are in: for {@link recycle}, once nobody reads them. */
  detach(): Buffer[] {
    const used = this.#used
    this.#bytes = this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
    this.#used = [this.#bytes]
    this.#start = this.#end = 0
    return used
  }

  recycle(chunks: readonly Buffer[]): void {
    for (const chunk of chunks)
      if (chunk.length === CHUNK_BYTES && this.#spare.length < MOST_SPARE) this.#spare.push(chunk)
  }

  #nextChunk(): void {
    this.#bytes = this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
    this.#used.push(this.#bytes)
    this.#start = 0
  }

  #head(isRemoval: boolean): void {
    this.#reserve(entryHeadBytes(this.#key))
    this.#entryAt = this.#end
    this.#valueAt = writeEntryHead(this.#bytes, this.#end, { table: this.#table, key: this.#key, isRemoval })
    this.#end = this.#valueAt
  }

  #encode(): void {
    const piece = this.#piece
    if (piece === '') return
    this.#piece = ''
    // A UTF-16 unit has three bytes at most.
    this.#reserve(piece.length * 3)
    this.#end += this.#bytes.write(piece, this.#end)
  }

  #pad(): void {
    const end = padded(this.#end)
    this.#reserve(end - this.#end)
    this.#bytes.fill(0, this.#end, end)
    this.#end = end
  }

  /** A record lies in one piece: where it needs more room than its chunk has, it moves to another. */
  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    const begun = this.#bytes.subarray(this.#start, this.#end)
    const needed = begun.length + bytes
    this.#bytes =
      needed <= CHUNK_BYTES
        ? (this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES))
        : Buffer.allocUnsafeSlow(padded(needed * 2))
    this.#used.push(this.#bytes)
    begun.copy(this.#bytes)
    this.#entryAt -= this.#start
    this.#valueAt -= this.#start
    this.#start = 0
    this.#end = begun.length
  }
}
