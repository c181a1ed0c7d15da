/**
 * What a request passes before its route: is it a web page's, whose is it, may they, how often; and what is noted of it
 * afterwards. Without tokens, a limit and an audit log, a request of no browser costs three looks at its headers.
 */
import type { IncomingMessage } from 'node:http'
import type { AuditEntry } from '../guard/audit-log.ts'
import { type Guard, type Verdict, lacks } from '../guard/guard.ts'
import { type Need, isNoted, needOfRequest } from '../guard/scopes.ts'
import type { Caller } from '../guard/caller.ts'
import { WebPages } from '../guard/web-pages.ts'
import { BROWSER_HEADERS } from './browser-headers.ts'
import { textOf } from './header.ts'
import { HTTP_STATUS } from '../http-status.ts'
import { type Bindings, refusal } from './reply.ts'

export interface GateOptions {
  /** Origins beside the daemon's own whose pages may ask. */
  readonly allowedOrigins?: readonly string[]
  readonly guard?: Guard
}

type Next = () => Response | Promise<Response>

interface NotedCall {
  readonly tool: string
  readonly accepted: Bindings['accepted']
}

export class Gate {
  readonly #pages: WebPages
  /** Null where it has nothing to do. */
  readonly #guard: Guard | null

  constructor({ allowedOrigins = [], guard }: GateOptions) {
    this.#pages = new WebPages(allowedOrigins)
    this.#guard = guard === undefined || guard.isIdle ? null : guard
  }

  /** Tells where the server listens. */
  listensOn(address: string): void {
    this.#pages.listensOn(address)
  }

  /** The answer of the route, or of a guard in its place. */
  pass(env: Bindings, next: Next): Response | Promise<Response> {
    const { incoming } = env
    const { headers } = incoming
    const host = textOf(headers.host) || textOf(headers[':authority'])
    const origin = textOf(headers.origin)
    const fetchSite = textOf(headers['sec-fetch-site'])
    const reason = this.#pages.refusal({ host, origin, fetchSite })
    if (reason !== '') return this.#refuseBrowser(env, reason)
    const isAllowed = origin !== '' && this.#pages.isAllowed(origin)
    const answer = isAllowed && incoming.method === 'OPTIONS' ? preflight(env) : this.#guarded(env, next)
    // What a browser shows or runs; other clients have no use for these headers.
    if (origin === '' && fetchSite === '' && !textOf(headers.accept).includes('text/html')) return answer
    return Promise.resolve(answer).then((response) => forBrowsers(response, isAllowed ? origin : ''))
  }

  #refuseBrowser(env: Bindings, message: string): Response {
    const response = refusal(env.traceId, { code: 'forbidden', message })
    this.#note(env, addressOf(env.incoming), response.status, message)
    return forBrowsers(response, '')
  }

  #guarded(env: Bindings, next: Next): Response | Promise<Response> {
    if (this.#guard === null) return next()
    const { method = '', headers } = env.incoming
    const need = needOfRequest(method, env.rawUrl)
    const verdict = this.#guard.admit({
      authorization: headers.authorization ?? '',
      address: addressOf(env.incoming),
      need,
    })
    return verdict instanceof Promise
      ? verdict.then((settled) => this.#follow(env, need, settled, next))
      : this.#follow(env, need, verdict, next)
  }

  #follow(env: Bindings, need: Need, verdict: Verdict, next: Next): Response | Promise<Response> {
    const { who, problem, retryAfterS } = verdict
    if (problem !== null) {
      const response = refusal(env.traceId, problem)
      if (problem.code === 'unauthenticated')
        response.headers.set('WWW-Authenticate', 'Bearer realm="execgo"')
      if (retryAfterS !== undefined) response.headers.set('Retry-After', String(retryAfterS))
      this.#note(env, who, response.status, problem.message)
      return response
    }
    if (need === 'token') env.caller = this.#callerOf(env, verdict)
    if (this.#guard?.audit == null || !isNoted(need)) return next()
    return Promise.resolve(next()).then((response) => {
      this.#note(env, who, response.status)
      return response
    })
  }

  #callerOf(env: Bindings, { who, scopes }: Verdict): Caller {
    return {
      refusal: (need) => lacks(who, scopes, need),
      note: (tool, problem, accepted) => {
        const status = problem === null ? 200 : HTTP_STATUS[problem.code]
        this.#note(env, who, status, problem?.message, { tool, accepted })
      },
    }
  }

  /** @param call where it is noted for itself, and not as the request that it came in */
  #note(env: Bindings, who: string, status: number, reason?: string, call?: NotedCall): void {
    const audit = this.#guard?.audit
    if (audit == null) return
    const { accepted } = call ?? env
    const entry: AuditEntry = {
      who,
      from: addressOf(env.incoming),
      what: `${env.incoming.method} ${env.rawUrl.slice(0, MAX_URL)}${call === undefined ? '' : ` ${call.tool}`}`,
      status,
      ...(accepted === undefined ? {} : { count: accepted.accepted, ids: accepted.task_ids }),
      ...(reason === undefined ? {} : { reason }),
    }
    audit.add(entry)
  }
}

/** Of a URL in the audit log, in UTF-16 units. */
const MAX_URL = 2000

const addressOf = (incoming: IncomingMessage): string => {
  const address = incoming.socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

const forBrowsers = (response: Response, allowedOrigin: string): Response => {
  const { headers } = response
  for (const [name, value] of BROWSER_HEADERS) headers.set(name, value)
  if (allowedOrigin === '') return response
  headers.set('Access-Control-Allow-Origin', allowedOrigin)
  headers.set(
    'Access-Control-Expose-Headers',
    'X-Trace-Id, Retry-After, Idempotent-Replayed, Link, X-Next-Cursor',
  )
  headers.append('Vary', 'Origin')
  return response
}

/** A browser asks first whether a page of an allowed origin may; it brings no token along yet. */
const preflight = (env: Bindings): Response =>
  new Response(null, {
    status: 204,
    headers: {
      'X-Trace-Id': env.traceId,
      'Access-Control-Allow-Methods': 'GET, POST, DELETE',
      'Access-Control-Allow-Headers':
        'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Trace-Id, Traceparent, MCP-Protocol-Version, Mcp-Method, Mcp-Name',
      'Access-Control-Max-Age': '600',
    },
  })
