/** Who sends too slowly is not waited for; grpc-js would wait for ever. @see contract B4 */
import { type ServerHttp2Stream, constants } from 'node:http2'
import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js'

/**
 * Ends a call whose request has not come within so long, and lets go of one whose client neither ends its side nor reads
 * the answer, so long after it was answered. Where a call has many requests (reflection), all of them have to come in that
 * time. To be the first of the interceptors.
 */
export const patience =
  (withinMs: number): ServerInterceptor =>
  (_method, call) => {
    // grpc-js itself resets no stream, and shows it to nobody.
    const { stream } = call as unknown as { readonly stream: ServerHttp2Stream }
    const tooSlow = { code: status.DEADLINE_EXCEEDED, details: 'the request came too slowly' }
    let timer = setTimeout(() => intercepted.sendStatus(tooSlow), withinMs).unref()
    stream.once('close', () => clearTimeout(timer))
    const intercepted = new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveHalfClose: (go) => {
            clearTimeout(timer)
            go()
          },
        }),
      sendStatus: (ended, go) => {
        clearTimeout(timer)
        timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), withinMs).unref()
        go(ended)
      },
    })
    return intercepted
  }
