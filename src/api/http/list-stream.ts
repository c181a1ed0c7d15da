/** A list of tasks as one JSON array, made while it is read: a slow reader holds nothing but its place. */

const PIECE_CHARS = 64 * 1024

export const listStream = (tasks: AsyncIterable<string>): ReadableStream<Uint8Array> => {
  const iterator = tasks[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  let separator = '['
  return new ReadableStream({
    async pull(controller) {
      let piece = ''
      while (piece.length < PIECE_CHARS) {
        const next = await iterator.next()
        if (next.done === true) {
          controller.enqueue(encoder.encode(`${piece}${separator === '[' ? '[' : ''}]`))
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
