/**
 * The audit log: one JSON line for each thing that somebody did or was refused. Lines are appended in order, several in
 * one write while another is under way; what cannot be written is told and left out: no request fails for it.
 * @see contract B5
 */
import { openSync, write } from 'node:fs'

export interface AuditEntry {
  /** A token's name, or the address where there are no tokens. */
  readonly who: string
  readonly from: string
  /** `POST /tasks`, `/execgo.v1.ExecGo/SubmitTasks`. */
  readonly what: string
  /** HTTP's or gRPC's. */
  readonly status: number
  /** The first {@link MAX_IDS} of them. */
  readonly ids?: readonly string[]
  readonly count?: number
  readonly reason?: string
}

const MAX_IDS = 100
/** Lines that wait while the disk hangs, in UTF-16 units. */
const MAX_WAITING = 8 * 1024 * 1024

export class AuditLog {
  readonly #fd: number
  readonly #onProblem: (error: Error) => void
  #waiting = ''
  #isWriting = false

  /** @throws where the file cannot be opened */
  constructor(path: string, onProblem: (error: Error) => void) {
    this.#fd = openSync(path, 'a', 0o600)
    this.#onProblem = onProblem
  }

  add({ ids, ...entry }: AuditEntry): void {
    const line = {
      at: new Date().toISOString(),
      ...entry,
      ...(ids === undefined ? {} : { ids: ids.slice(0, MAX_IDS) }),
    }
    if (this.#waiting.length > MAX_WAITING) {
      this.#onProblem(new Error('the disk is too slow: a line was left out'))
      return
    }
    this.#waiting += `${JSON.stringify(line)}\n`
    if (!this.#isWriting) this.#write()
  }

  #write(): void {
    const bytes = Buffer.from(this.#waiting)
    this.#waiting = ''
    this.#isWriting = true
    this.#writeFrom(bytes, 0)
  }

  #writeFrom(bytes: Buffer, offset: number): void {
    write(this.#fd, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error !== null) this.#onProblem(error)
      else if (offset + written < bytes.length) return this.#writeFrom(bytes, offset + written)
      this.#isWriting = false
      if (this.#waiting !== '') this.#write()
    })
  }
}
