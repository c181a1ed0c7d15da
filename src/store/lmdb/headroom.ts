/**
 * Keeps the database file longer than its pages need. LMDB may count pages at the end that it never wrote; with room
 * behind them a file that is too short was cut off, and nothing else. The room is sparse: it takes no disk.
 */
import { statSync, truncateSync } from 'node:fs'
import type { RootDatabase } from 'lmdb'

const ROOM_BYTES = 4 * 1024 * 1024
/** The tree is asked how large it is after so much was written, or so many commits. */
const ASK_AFTER_BYTES = 256 * 1024
const ASK_AFTER_COMMITS = 64

export class Headroom {
  readonly #path: string
  readonly #root: RootDatabase
  #size: number
  #bytes = 0
  #commits = 0

  constructor(path: string, root: RootDatabase) {
    this.#path = path
    this.#root = root
    this.#size = statSync(path).size
    this.extend()
  }

  /** Notes a commit. */
  note(bytes: number): void {
    this.#bytes += bytes
    this.#commits++
    if (this.#bytes >= ASK_AFTER_BYTES || this.#commits >= ASK_AFTER_COMMITS) this.extend()
  }

  /** Makes the file longer where its room has become small. */
  extend(): void {
    this.#bytes = 0
    this.#commits = 0
    const { lastPageNumber, pageSize } = this.#root.getStats() as { lastPageNumber: number; pageSize: number }
    const needed = (lastPageNumber + 1) * pageSize + ROOM_BYTES
    if (needed <= this.#size) return
    try {
      // LMDB may have made it longer itself.
      const size = Math.max(statSync(this.#path).size, needed + ROOM_BYTES)
      truncateSync(this.#path, size)
      this.#size = size
    } catch {
      // A disk that refuses this refuses the next commit too, and that one is told.
    }
  }
}
