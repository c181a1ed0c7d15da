/**
 * Reads a command's output as it comes, and stops reading when the command is over: a process that it left behind
 * may hold the pipe for hours.
 */
import type { Readable } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { BoundedOutput } from './bounded-output.ts'

/** A drain ends when nothing came for this long. */
const QUIET_MS = 50
/** And after this long in any case. */
const DRAIN_MS = 200

export class PipeReader {
  readonly #stream: Readable
  readonly ended: Promise<void>
  hasEnded = false
  receivedBytes = 0

  /** Several pipes may fill the same output. */
  constructor(stream: Readable, output: BoundedOutput) {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => {
      this.receivedBytes += chunk.length
      output.append(chunk)
    })
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.hasEnded = true
        resolve()
      }
      // A pipe that fails has ended: what it gave until then is what there is.
      stream.once('end', end).once('error', end).once('close', end)
    })
  }

  destroy(): void {
    this.#stream.destroy()
  }
}

/** What the pipes still hold once their writer is over; then they are closed on our side. */
export const drainPipes = async (pipes: readonly PipeReader[]): Promise<void> => {
  const deadlineMs = performance.now() + DRAIN_MS
  const received = (): number => pipes.reduce((sum, pipe) => sum + pipe.receivedBytes, 0)
  const isOpen = (): boolean => pipes.some((pipe) => !pipe.hasEnded)
  const allEnded = Promise.all(pipes.map((pipe) => pipe.ended))
  const stop = new AbortController()
  for (let before = -1; isOpen() && received() !== before && performance.now() < deadlineMs; ) {
    before = received()
    await Promise.race([allEnded, delay(QUIET_MS, undefined, { signal: stop.signal }).catch(() => {})])
    // Where this thread was busy, the time passed before it could look into the pipes.
    if (isOpen()) await nextTurn()
  }
  stop.abort()
  for (const pipe of pipes) pipe.destroy()
}
