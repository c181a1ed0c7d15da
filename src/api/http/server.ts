/** The HTTP server: the sockets around the routes. */
import { getRequestListener } from '@hono/node-server'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Address, formatAddress } from '../../address.ts'
import { newTraceId } from '../trace.ts'
import { type AppOptions, createApp } from './app.ts'
import { Gate, type GateOptions } from './gate.ts'
import type { Bindings } from './reply.ts'
import { TextResponse } from './text-response.ts'
import { type Tls, connectionsOf, secureServer } from './tls.ts'
import { traceIdOf } from './trace.ts'
import { endUnreadAnswers } from './unread.ts'

export interface HttpServerOptions extends AppOptions, GateOptions {
  readonly address: Address
  /** Without it, HTTP in the clear. */
  readonly tls?: Tls
}

/** Who sends too slowly is cut off this much later at most. */
const CHECK_EVERY_MS = 1000

/** What a client that was refused gets for reading why. */
const HANG_UP_MS = 1000

/** How long a connection is kept for a next request. */
const IDLE_MS = 60_000

/** How long a client may take nothing of its answer. */
const UNREAD_MS = 60_000

export class HttpServer {
  readonly #options: HttpServerOptions
  readonly #server: Server
  readonly #gate: Gate
  readonly #connections: ReturnType<typeof connectionsOf>

  constructor(options: HttpServerOptions) {
    this.#options = options
    const app = createApp(options)
    this.#gate = new Gate(options)
    const { headerMs, bodyMs } = options.service.limits
    const respond = (request: Request, env: object): Response | Promise<Response> => {
      const bindings = env as Bindings
      const { incoming } = bindings
      const path = pathOf(incoming.url ?? '')
      if (!isPathOf(path, request.url)) throw new Error('its path cannot be told from its host')
      bindings.traceId = traceIdOf(incoming)
      bindings.rawUrl = path.includes(MAYBE_DOT) ? pathOf(cameAs.get(incoming) ?? path) : path
      return this.#gate.pass(bindings, () => app.fetch(request, bindings))
    }
    const listenerOf = (autoCleanupIncoming: boolean): ReturnType<typeof getRequestListener> =>
      // The global Request and Response become the adapter's, which keep a text and its headers as they were given:
      // with Node's own an answer costs three times as much.
      getRequestListener(respond, {
        overrideGlobalObjects: true,
        errorHandler: refuseUnreadable,
        autoCleanupIncoming,
      })
    const listener = listenerOf(true)
    // Where nobody read the body, the adapter would reset the stream before the client has all of the answer.
    const listener2 = listenerOf(false)
    const timeouts = {
      headersTimeout: headerMs,
      requestTimeout: headerMs + bodyMs,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    }
    const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
      keepDots(incoming)
      void (incoming.httpVersionMajor === 2 ? listener2 : listener)(incoming, outgoing)
    }
    this.#server =
      options.tls === undefined
        ? createServer({ ...timeouts, ServerResponse: TextResponse }, serve)
        : secureServer(options.tls, timeouts, { headerMs, bodyMs, idleMs: IDLE_MS }, serve)
    endUnreadAnswers(this.#server, UNREAD_MS)
    this.#connections = connectionsOf(this.#server, options.tls !== undefined)
    this.#server.keepAliveTimeout = IDLE_MS
    this.#server.on('clientError', refuseMalformed)
  }

  /** Listens; resolves to the address, with the port that a port 0 became. */
  async start(): Promise<string> {
    const { host, port } = this.#options.address
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(host === '' ? { port } : { port, host }, resolve)
    })
    const bound = this.#server.address() as AddressInfo
    this.#gate.listensOn(bound.address)
    return formatAddress(bound.address, bound.port)
  }

  /** Takes no more connections, lets the requests under way end, for `withinMs` at most. */
  async stop(withinMs = 1000): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#connections.closeIdleConnections()
    const timer = setTimeout(() => this.#connections.closeAllConnections(), withinMs)
    await closed
    clearTimeout(timer)
  }
}

/** In every URL that has an encoded dot, and in what the router sees of it. */
const MAYBE_DOT = '%2'

/** The URLs of requests of which the router sees another. */
const cameAs = new WeakMap<IncomingMessage, string>()

/**
 * Dots that were percent-encoded would be read as `.` and `..`, and the path changed by them, before a route sees it:
 * they are encoded once more for the router, before the adapter reads the URL.
 */
const keepDots = (incoming: IncomingMessage): void => {
  const { url = '' } = incoming
  if (!url.includes(MAYBE_DOT)) return
  cameAs.set(incoming, url)
  incoming.url = url.replace(/%2e/gi, '%252e')
}

/**
 * Whether the path by which the guards judge is the one that the router takes out of this URL. It would be another where
 * part of a strange `Host` became part of the path, or part of the path the host.
 */
const isPathOf = (path: string, url: string): boolean => {
  const start = url.indexOf('/', 'https://'.length)
  if (url.length - start === path.length && url.endsWith(path)) return true
  return url.slice(start) === new URL(`http://x${path}`).href.slice('http://x'.length)
}

/** A client that takes the daemon for its proxy sends the whole URL. */
const pathOf = (url: string): string => {
  if (url.startsWith('/')) return url
  const path = url.replace(/^https?:\/\/[^/?#\\]*/, '')
  return path === url || path.startsWith('/') ? path : `/${path}`
}

/** A path or a host that makes no URL: no route sees it. */
const refuseUnreadable = (error: unknown): Response => {
  const reason = error instanceof Error ? error.message : String(error)
  return new Response(JSON.stringify({ error: `malformed HTTP request: ${reason}` }), {
    status: 400,
    headers: { 'Content-Type': 'application/json', 'X-Trace-Id': newTraceId() },
  })
}

/** What is no HTTP at all gets the JSON error too. */
const refuseMalformed = (error: NodeJS.ErrnoException, socket: Socket): void => {
  // In the middle of an answer, this one would be read as part of it.
  const { _httpMessage: answer } = socket as Socket & { readonly _httpMessage?: ServerResponse | null }
  if (error.code === 'ECONNRESET' || !socket.writable || answer?.headersSent === true) {
    socket.destroy()
    return
  }
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'the request headers are too large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'the request came too slowly']
        : ['400 Bad Request', `malformed HTTP request: ${error.message}`]
  const body = JSON.stringify({ error: reason })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
  // Who does not hang up in turn would keep it open for ever. At once would be too early: the answer might be lost.
  setTimeout(() => socket.destroy(), HANG_UP_MS).unref()
}
