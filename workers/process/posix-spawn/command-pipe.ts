/**
 * Our end of a pipe that a command writes to. Most commands are over soon and print less than a pipe holds: theirs is
 * read once, when they are over. Any other's is given to Node.
 *
 * ```
 * waiting ─┬─ the command is over, and nobody has the other end any more: read to its end ─► over
 *          └─ it goes on, or somebody else has it ─► flowing ─► over
 * ```
 */
import { Socket } from 'node:net'
import { StreamPipe } from '../stream-pipe.ts'
import type { OutputPipe } from '../starter.ts'
import type { Libc } from './libc.ts'

/** As much as a pipe holds, unless somebody changed that. */
const READ_BYTES = 64 * 1024

/** Of `struct pollfd`, whose second word has what is asked for, nothing here, and above it what is found. */
const FOUND_POLLHUP = 0x10 << 16

/** All of a thread are read into this one, and copied out of it. */
const scratch = Buffer.allocUnsafeSlow(READ_BYTES)
/** Two of `struct pollfd`. */
const polled = new Int32Array(4)

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

  /** Its descriptor until somebody reads it or it is closed; then -1, which `poll` passes over. */
  get waitingFd(): number {
    return this.#isWaiting ? this.#ends[0]! : -1
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

  /** Takes all that is there. Nobody may have the other end: else we wait here for what they write. */
  drain(): void {
    const fd = this.#ends[0]!
    for (;;) {
      // May be less than what is there: who wrote it may have made packets of it.
      const count = this.#libc.read(fd, scratch, READ_BYTES)
      if (count <= 0) break
      this.#onChunk(Buffer.from(scratch.subarray(0, count)))
    }
    this.close()
    this.#onEnd()
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

/**
 * Drains the pipes of a command that is over. What it left behind may have the other ends still.
 * @returns whether nothing of them is left for us
 */
export const drainFree = (libc: Libc, stdout: CommandPipe, stderr: CommandPipe | null): boolean => {
  const first = stdout.waitingFd
  const second = stderr?.waitingFd ?? -1
  if (first < 0 && second < 0) return true
  polled.set([first, 0, second, 0])
  libc.poll(polled, 2, 0)
  const isFirstFree = (polled[1]! & FOUND_POLLHUP) !== 0
  const isSecondFree = (polled[3]! & FOUND_POLLHUP) !== 0
  if (isFirstFree) stdout.drain()
  if (isSecondFree) stderr?.drain()
  return (first < 0 || isFirstFree) && (second < 0 || isSecondFree)
}
