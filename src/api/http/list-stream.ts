/** A list of tasks as JSON, made while it is read: a slow reader holds nothing but its place. */
import { Slices } from '../turns.ts'

const PIECE_CHARS = 64 * 1024

/** @param before, after what the list stands in: an array by itself where nothing is said */
export const listStream = (
  tasks: AsyncIterable<string>,
  before = '[',
  after = ']',
): ReadableStream<Uint8Array> => {
  const iterator = tasks[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  // A reader that is quick asks for the next piece before others had their turn.
  const slices = new Slices()
  let separator = before
  return new ReadableStream({
    async pull(controller) {
      let piece = ''
      while (piece.length < PIECE_CHARS) {
        await slices.next()
        const next = await iterator.next()
        if (next.done === true) {
          controller.enqueue(encoder.encode(`${piece}${separator === before ? before : ''}${after}`))
          controller.close()
          return
        }
        piece += separator + next.value
        separator = ','
      }
      controller.enqueue(encoder.encode(piece))
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}
