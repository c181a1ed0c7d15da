/**
 * Who takes nothing of an answer is not waited for, over HTTP/1.1 and HTTP/2. It shows in what waits to be sent: no other
 * frame or ping of that client counts, and nothing is done for each request.
 * @see contract B4
 */
import type { Server } from 'node:http'
import { type ServerHttp2Stream, constants } from 'node:http2'
import type { Socket } from 'node:net'

/** A text that is sent as a whole shows no progress until all of it is taken: it has so much longer. */
const SLOWEST_BYTES_PER_MS = 16

/** When it was last seen that something was taken, and what waited then. */
interface Moved {
  bytes: number
  atMs: number
}

/** @param unreadMs how long a client may take nothing; it is noticed up to half of that later */
export const endUnreadAnswers = (server: Server, unreadMs: number): void => {
  const open = new Map<Socket | ServerHttp2Stream, Moved>()
  const watch = (way: Socket | ServerHttp2Stream): void => {
    const moved = { bytes: 0, atMs: 0 }
    open.set(way, moved)
    // The next piece may be as long as the last one.
    way.on('drain', () => {
      moved.bytes = 0
    })
    way.once('close', () => open.delete(way))
  }
  // Of a server of TLS, 'connection' is the socket below.
  server.on('connection', watch)
  server.on('secureConnection', watch)
  server.on('stream', watch)
  const look = (): void => {
    const nowMs = performance.now()
    for (const [way, moved] of open) {
      const bytes = way.writableLength
      if (bytes === 0 || bytes !== moved.bytes) {
        moved.bytes = bytes
        moved.atMs = nowMs
      } else if (nowMs - moved.atMs > unreadMs + bytes / SLOWEST_BYTES_PER_MS) end(way)
    }
  }
  const timer = setInterval(look, Math.ceil(unreadMs / 4)).unref()
  server.once('close', () => clearInterval(timer))
}

const end = (way: Socket | ServerHttp2Stream): void => {
  if (!('session' in way)) way.destroy()
  // The reset could not be sent either: nothing at all is read.
  else if (way.closed) way.session?.destroy()
  else way.close(constants.NGHTTP2_CANCEL)
}
