/** Who sends too slowly over HTTP/2 is not waited for; Node looks after HTTP/1.1 only. @see contract B4 */
import {
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  constants,
} from 'node:http2'

/** Milliseconds, each. */
export interface Patience {
  /** Until the headers of a connection's first request are there. */
  readonly headerMs: number
  /** How much longer its body may take. */
  readonly bodyMs: number
  /** How long a connection may be open between two requests. */
  readonly idleMs: number
}

/** The event of a request whose body does not come: who waits for it answers. */
export const TOO_SLOW = 'tooSlow'

/** Ends sessions that ask for nothing. Whatever else they send, pings for example, is no request. */
export const endSilentSessions = (server: Http2SecureServer, { headerMs, idleMs }: Patience): void => {
  server.on('session', (session: ServerHttp2Session) => {
    let open = 0
    // Not close(), which would wait for the client to hang up.
    const endIn = (ms: number) => setTimeout(() => session.destroy(), ms).unref()
    let timer = endIn(headerMs)
    session.once('close', () => clearTimeout(timer))
    session.on('stream', (stream) => {
      open += 1
      clearTimeout(timer)
      stream.once('close', () => {
        open -= 1
        if (open === 0 && !session.destroyed) timer = endIn(idleMs)
      })
    })
  })
}

/** Lets go of a request whose body is not all there in time; answers that take long are none of its business. */
export const endSlowBody = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  { headerMs, bodyMs }: Patience,
): void => {
  const { stream } = request
  if (stream.endAfterHeaders) return
  const timer = setTimeout(() => {
    if (stream.state.remoteClose === 1) return
    const reset = (): void => stream.close(constants.NGHTTP2_NO_ERROR)
    const isToBeAnswered = request.emit(TOO_SLOW) && !response.headersSent
    if (isToBeAnswered) stream.once('finish', reset)
    else stream.close(constants.NGHTTP2_CANCEL)
  }, headerMs + bodyMs).unref()
  stream.once('close', () => clearTimeout(timer))
}
