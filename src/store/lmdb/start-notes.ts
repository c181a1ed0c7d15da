/**
 * Attempts that are about to begin, noted before they do: `<data-dir>/execgo.starts`, a ring of triples (key, attempt,
 * failures) written in place, at once and without a sync. What is in it outlives the process, so that no command is
 * given the number of an earlier attempt after a crash. The `starts` table takes the numbers over a moment later, long
 * before the ring comes round.
 *
 * A header names the database that the keys belong to: those of another one are not read.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { Task } from '../../domain/task.ts'
import { encodeStarts, NUMBERS_PER_START } from './starts.ts'

const HEADER_BYTES = 64
const ENTRY_BYTES = NUMBERS_PER_START * 8
const ENTRIES = 65_536
const FILE_BYTES = HEADER_BYTES + ENTRIES * ENTRY_BYTES

export class StartNotes {
  #file: number
  readonly #databaseId: string
  #next = 0

  /** @param databaseId at most 64 characters of ASCII */
  constructor(path: string, databaseId: string) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    this.#databaseId = databaseId
  }

  /** What is noted, in triples; those of zeros are free. */
  read(): Float64Array<ArrayBuffer> {
    if (fstatSync(this.#file).size !== FILE_BYTES) return new Float64Array(0)
    const bytes = Buffer.alloc(FILE_BYTES)
    readSync(this.#file, bytes, 0, FILE_BYTES, 0)
    if (!bytes.subarray(0, HEADER_BYTES).equals(this.#header())) return new Float64Array(0)
    return new Float64Array(bytes.buffer, bytes.byteOffset + HEADER_BYTES, ENTRIES * NUMBERS_PER_START)
  }

  /**
   * Begins anew with the tasks that had begun before: the `starts` table has them too, but perhaps not over a crash that
   * comes before its next sync. Takes the room on the disk that is ever needed.
   */
  reset(tasks: readonly Task[]): void {
    const bytes = Buffer.alloc(FILE_BYTES)
    this.#header().copy(bytes)
    writeSync(this.#file, bytes, 0, FILE_BYTES, 0)
    this.#next = 0
    this.add(tasks)
  }

  /** Notes the attempts that the tasks have come to. */
  add(tasks: readonly Task[]): void {
    for (let from = 0; from < tasks.length; ) {
      const count = Math.min(tasks.length - from, ENTRIES - this.#next)
      const bytes = encodeStarts(count === tasks.length ? tasks : tasks.slice(from, from + count))
      writeSync(this.#file, bytes, 0, bytes.length, HEADER_BYTES + this.#next * ENTRY_BYTES)
      this.#next = (this.#next + count) % ENTRIES
      from += count
    }
  }

  close(): void {
    closeSync(this.#file)
    // The number may be another file's by the time that somebody still writes.
    this.#file = -1
  }

  #header(): Buffer {
    const header = Buffer.alloc(HEADER_BYTES)
    header.write(this.#databaseId, 'latin1')
    return header
  }
}
