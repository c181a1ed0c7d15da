/** TLS for the HTTP server: HTTP/2 and HTTP/1.1 on one port, as the client can. */
import {
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type SecureServerOptions,
  type ServerHttp2Session,
  createSecureServer,
} from 'node:http2'
import type { RequestListener, Server, ServerOptions } from 'node:http'
import type { TLSSocket } from 'node:tls'

export interface Tls {
  /** PEM: the certificate and what lies between it and the authority. */
  readonly cert: Buffer
  /** PEM. */
  readonly key: Buffer
}

/** A server that looks like one of HTTP/1.1 to its listener. */
export const secureServer = ({ cert, key }: Tls, timeouts: ServerOptions, serve: RequestListener): Server =>
  createSecureServer(
    { ...timeouts, allowHTTP1: true, cert, key, minVersion: 'TLSv1.2' } as SecureServerOptions,
    serve as unknown as (request: Http2ServerRequest, response: Http2ServerResponse) => void,
  ) as unknown as Server

/** What a stop must end: Node's HTTP/2 server does not keep count of it. */
class SecureConnections {
  readonly #sockets = new Set<TLSSocket>()
  readonly #sessions = new Set<ServerHttp2Session>()

  constructor(server: Http2SecureServer) {
    server.on('secureConnection', (socket: TLSSocket) => {
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
