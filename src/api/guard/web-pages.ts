/**
 * Keeps web pages away. A browser on this machine, or on one that reaches the daemon, carries out what any page asks
 * it to; the daemon must not take that for its user's wish.
 *
 * - A page of another site says so in `Origin`, or its browser does in `Sec-Fetch-Site`.
 * - A page whose own name was made to mean 127.0.0.1 (DNS rebinding) is of the same origin, and comes without either:
 *   it is known by that name, in `Host`.
 *
 * Clients that are no browser send none of these headers, and lose a comparison or two.
 * @see contract B5
 */
import { isIP } from 'node:net'
import { hostIn, isLoopback } from './loopback.ts'

export interface WebHeaders {
  /** `Host`, or `:authority`; `''` where absent, as the others. */
  readonly host: string
  readonly origin: string
  readonly fetchSite: string
}

export class WebPages {
  readonly #allowed: ReadonlySet<string>
  readonly #allowedHosts: ReadonlySet<string>
  /** The last host that was let through: a client says the same one each time. No browser leaves it out. */
  #lastHost = ''
  #isOnLoopback = false

  /** Origins as a browser writes them: `https://example.com`. Their hosts may be in `Host` too. */
  constructor(allowedOrigins: readonly string[]) {
    this.#allowed = new Set(allowedOrigins)
    this.#allowedHosts = new Set(allowedOrigins.map((origin) => new URL(origin).host))
  }

  /** Tells where the server listens. */
  listensOn(address: string): void {
    this.#isOnLoopback = isLoopback(address)
  }

  /** Whether it is named in the settings: only then another site's page may read the answers. */
  isAllowed(origin: string): boolean {
    return this.#allowed.has(origin)
  }

  /** Why the request is refused, `''` where it is not. */
  refusal({ host, origin, fetchSite }: WebHeaders): string {
    if (this.#isOnLoopback && host !== this.#lastHost) {
      if (!isLoopback(hostIn(host)) && !this.#allowedHosts.has(host.toLowerCase()))
        return `host ${JSON.stringify(host)} is not this machine: the daemon listens on loopback only`
      this.#lastHost = host
    }
    if (origin === '') return fetchSite === 'cross-site' ? CROSS_SITE : ''
    return this.#allowed.has(origin) || this.#isOwn(origin, host)
      ? ''
      : `origin ${JSON.stringify(origin)} is not allowed (EXECGO_ALLOWED_ORIGINS names those that are)`
  }

  /** Of a page that this daemon served. A name that is not localhost could have been made to mean this machine. */
  #isOwn(origin: string, host: string): boolean {
    const name = hostIn(host).replace(/^\[|\]$/g, '')
    if (isIP(name) === 0 && !isLoopback(name)) return false
    const authority = host.toLowerCase()
    return origin === `http://${authority}` || origin === `https://${authority}`
  }
}

const CROSS_SITE = 'a page of another site may not ask (EXECGO_ALLOWED_ORIGINS names those that may)'
