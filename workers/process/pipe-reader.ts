/**
 * Reads a command's output as it comes, and stops reading when the command is over: a process that it left behind
 * may hold the pipe for hours.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundedOutput } from './bounded-output.ts'
import type { OutputPipe } from './starter.ts'

/** A drain ends when nothing came for this long. */
const QUIET_MS = 50
/** And after this long in any case. */
const DRAIN_MS = 200

export class PipeReader {
  readonly #pipe: OutputPipe
  readonly ended: Promise<void>
  hasEnded = false
  receivedBytes = 0

  /** Several pipes may fill the same output. */
  constructor(pipe: OutputPipe, output: BoundedOutput) {
    this.#pipe = pipe
    this.ended = new Promise((resolve) => {
      const onChunk = (chunk: Buffer): void => {
        this.receivedBytes += chunk.length
        output.append(chunk)
      }
      const onEnd = (): void => {
        this.hasEnded = true
        resolve()
      }
      pipe.read(onChunk, onEnd)
    })
  }

  close(): void {
    this.#pipe.close()
  }
}

/** Settles with `what`, or after `ms`. */
const within = (ms: number, what: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    void what.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })

/** What the pipes still hold once their writer is over; then they are closed on our side. */
export const drainPipes = async (pipes: readonly PipeReader[]): Promise<void> => {
  const received = (): number => pipes.reduce((sum, pipe) => sum + pipe.receivedBytes, 0)
  const isOpen = (): boolean => pipes.some((pipe) => !pipe.hasEnded)
  // What ended together is told one after the other, in any order.
  if (isOpen()) await nextTurn()
  if (!isOpen()) return
  // From here on: the turn may have taken long, where this thread was busy.
  const deadlineMs = performance.now() + DRAIN_MS
  const allEnded = Promise.all(pipes.map((pipe) => pipe.ended))
  for (let before = -1; isOpen() && received() !== before && performance.now() < deadlineMs; ) {
    before = received()
    await within(QUIET_MS, allEnded)
    // Where this thread was busy, the time passed before it could look into the pipes.
    if (isOpen()) await nextTurn()
  }
  for (const pipe of pipes) pipe.close()
}
