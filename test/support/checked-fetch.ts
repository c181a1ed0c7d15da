/** The global fetch, whose answers are held against the document of the API. */
import { expectAnswer } from './api-document.ts'

const plainFetch = globalThis.fetch

/** Of a longer answer the tasks that begin it are looked at. */
const MOST_BYTES = 16 * 1024 * 1024

/** Throws as fetch does; where the body is not as documented, whoever reads it to its end gets the error. */
export const fetch: typeof globalThis.fetch = async (input, init) => {
  const request = input instanceof Request ? input : null
  const method = init?.method ?? request?.method ?? 'GET'
  const { pathname, search } = new URL(request?.url ?? String(input))
  const response = await plainFetch(input, init)
  const { status, headers, body } = response
  const type = headers.get('content-type') ?? ''
  const check = (text: string | null): void => expectAnswer(method, pathname + search, { status, type, text })
  check(body === null ? '' : null)
  if (body === null || type !== 'application/json') return response
  return new Response(body.pipeThrough(watched(check)), response)
}

/** Lets everything through as it comes, and tells what came. */
const watched = (told: (text: string) => void): TransformStream<Uint8Array, Uint8Array> => {
  const pieces: Uint8Array[] = []
  let bytes = 0
  return new TransformStream({
    transform(piece, controller) {
      if (bytes < MOST_BYTES) pieces.push(piece)
      bytes += piece.length
      controller.enqueue(piece)
    },
    flush() {
      const kept = Buffer.concat(pieces)
      const text = kept.toString('utf8')
      told(kept.length === bytes ? text : beginning(text))
    },
  })
}

/** Of a list of tasks that was cut off, those that are whole. */
const beginning = (text: string): string =>
  text.slice(0, text.lastIndexOf(',{"id":"')) + (text.startsWith('[') ? ']' : ']}')
