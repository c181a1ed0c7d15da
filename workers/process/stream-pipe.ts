/** A pipe that Node reads. */
import type { Readable } from 'node:stream'
import type { OutputPipe } from './starter.ts'

export class StreamPipe implements OutputPipe {
  readonly #stream: Readable

  constructor(stream: Readable) {
    this.#stream = stream
  }

  read(onChunk: (chunk: Buffer) => void, onEnd: () => void): void {
    let hasEnded = false
    const end = (): void => {
      if (hasEnded) return
      hasEnded = true
      onEnd()
    }
    // A pipe that fails has ended: what it gave until then is what there is.
    this.#stream.on('data', onChunk).once('end', end).once('error', end).once('close', end)
  }

  close(): void {
    this.#stream.destroy()
  }
}
