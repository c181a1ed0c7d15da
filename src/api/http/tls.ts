/** TLS for the HTTP server: HTTP/2 and HTTP/1.1 on one port, as the client can. */
import {
  type Http2SecureServer,
  type SecureServerOptions,
  type ServerHttp2Session,
  createSecureServer,
} from 'node:http2'
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Patience, endSilentSessions, endSlowBody } from './patience.ts'

export interface Tls {
  /** PEM: the certificate and what lies between it and the authority. */
  readonly cert: Buffer
  /** PEM. */
  readonly key: Buffer
}

/** A server that looks like one of HTTP/1.1 to its listener. */
export const secureServer = (
  { cert, key }: Tls,
  timeouts: ServerOptions,
  patience: Patience,
  serve: RequestListener,
): Server => {
  const options = { allowHTTP1: true, cert, key, minVersion: 'TLSv1.2', handshakeTimeout: patience.headerMs }
  const server = createSecureServer(options as SecureServerOptions, (request, response) => {
    // One of HTTP/1.1 has no stream.
    if (request.httpVersionMajor === 2) endSlowBody(request, response, patience)
    serve(request as unknown as IncomingMessage, response as unknown as ServerResponse)
  })
  // Node puts its own in the place of those among the options, and looks at them when it listens.
  Object.assign(server, timeouts)
  endSilentSessions(server, patience)
  // Where there is no TLS, nothing can be answered: what 'clientError' would write is never sent.
  server.prependListener('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy())
  return server as unknown as Server
}

/** What a stop must end: Node's HTTP/2 server does not keep count of it. */
class SecureConnections {
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<ServerHttp2Session>()

  constructor(server: Http2SecureServer) {
    // Not 'secureConnection': who never shakes hands would hold up the stop.
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('session', (session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
  }

  /** Lets the requests under way end. */
  closeIdleConnections(): void {
    for (const session of this.#sessions) session.close()
  }

  closeAllConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** What closes a server's connections. */
export const connectionsOf = (
  server: Server,
  isSecure: boolean,
): Pick<Server, 'closeIdleConnections' | 'closeAllConnections'> =>
  isSecure ? new SecureConnections(server as unknown as Http2SecureServer) : server
