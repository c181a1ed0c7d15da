/** Server-Sent Events: made as the client reads them, so that one that does not read holds nothing but its place. */
import type { ServerResponse } from 'node:http'
import { type EventReader, type TaskEvent, eventJson } from '../events.ts'

/** A comment keeps the connection open, and finds out where it is not. */
const COMMENT_EVERY_MS = 15_000
/** A client that reads nothing for so long is dropped. */
const STALLED_MS = 60_000

export const eventStream = (reader: EventReader, outgoing: ServerResponse): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder()
  let stalled: NodeJS.Timeout | null = null
  let hasBegun = false
  const settle = (): void => {
    if (stalled !== null) clearTimeout(stalled)
    stalled = null
  }
  outgoing.once('close', () => {
    settle()
    reader.close()
  })
  return new ReadableStream(
    {
      async pull(controller) {
        settle()
        // At once, so that the client knows that it watches.
        const events = hasBegun ? await reader.next(COMMENT_EVERY_MS) : []
        if (events === null) {
          controller.close()
          return
        }
        const text = events.length > 0 ? frames(events) : place(hasBegun ? 'still here' : 'watching', reader)
        hasBegun = true
        controller.enqueue(encoder.encode(text))
        if (!outgoing.destroyed) stalled = setTimeout(() => outgoing.destroy(), STALLED_MS)
      },
      cancel() {
        settle()
        reader.close()
      },
    },
    { highWaterMark: 0 },
  )
}

const frames = (events: readonly TaskEvent[]): string =>
  events.map((event) => `id: ${event.id}\nevent: ${event.type}\ndata: ${eventJson(event)}\n\n`).join('')

/** A comment, and an id without an event: where to go on after a reconnect, though nothing was told since long. */
const place = (comment: string, reader: EventReader): string => `: ${comment}\nid: ${reader.place}\n\n`
