/**
 * Our end of a pipe that a command writes to. Most commands are over soon and print less than a pipe holds: theirs is
 * read once, when they are over. Any other's is given to Node.
 *
 * ```
 * waiting ─┬─ the command is over: read ─┬─ nobody has the other end any more ─► over
 *          │                             └─ somebody does ─┐
 *          └─ it goes on ──────────────────────────────────┴─► flowing ─► over
 * ```
 */
import { Socket } from 'node:net'
import { StreamPipe } from '../stream-pipe.ts'
import type { OutputPipe } from '../starter.ts'
import type { Libc } from './libc.ts'

/** As much as a pipe holds, unless somebody changed that. */
const READ_BYTES = 64 * 1024
/** Somebody else may go on writing. */
const MOST_READS = 16

const F_SETFL = 4
const O_NONBLOCK = 0o4000

/** All of a thread are read into this one, and copied out of it. */
const scratch = Buffer.allocUnsafeSlow(READ_BYTES)

const ignore = (): void => {}

export class CommandPipe implements OutputPipe {
  readonly #libc: Libc
  /** Where the descriptor is noted, as long as the pipe is waiting. */
  readonly #ends: Int32Array
  #isWaiting = true
  #stream: StreamPipe | null = null
  #onChunk: (chunk: Buffer) => void = ignore
  #onEnd: () => void = ignore

  constructor(libc: Libc, ends: Int32Array) {
    this.#libc = libc
    this.#ends = ends
  }

  read(onChunk: (chunk: Buffer) => void, onEnd: () => void): void {
    this.#onChunk = onChunk
    this.#onEnd = onEnd
  }

  /** Lets Node read from here on. */
  flow(): void {
    if (!this.#isWaiting) return
    this.#stream = new StreamPipe(new Socket({ fd: this.#letGo(), readable: true, writable: false }))
    this.#stream.read(this.#onChunk, this.#onEnd)
  }

  /** Takes all that is there, for the command is over. What may still come is left to Node. */
  drain(): void {
    if (!this.#isWaiting) return
    const fd = this.#ends[0]!
    this.#libc.fcntl(fd, F_SETFL, O_NONBLOCK)
    for (let reads = 0; reads < MOST_READS; reads++) {
      const count = this.#libc.read(fd, scratch, READ_BYTES)
      if (count === 0) {
        this.close()
        this.#onEnd()
        return
      }
      if (count < 0) break
      this.#onChunk(Buffer.from(scratch.subarray(0, count)))
    }
    this.flow()
  }

  close(): void {
    this.#stream?.close()
    if (this.#isWaiting) this.#libc.close(this.#letGo())
  }

  #letGo(): number {
    const fd = this.#ends[0]!
    this.#isWaiting = false
    this.#ends[0] = 0
    return fd
  }
}
