/**
 * Who may do what, the same over each wire: the token and its scope, how often, and what is noted of it.
 * @see contract B5
 */
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible'
import type { Problem } from '../../domain/errors.ts'
import type { AuditLog } from './audit-log.ts'
import type { Need, Scope } from './scopes.ts'
import type { TokenFile } from './token-file.ts'

export interface GuardOptions {
  /** Null: nobody is asked for a token. */
  readonly tokens: TokenFile | null
  /** Of one token or address; 0 = as many as come. */
  readonly requestsPerSecond: number
  /** Null for none. */
  readonly audit: AuditLog | null
}

/** A request, as far as it matters who makes it. */
export interface Ask {
  /** The header, `''` for none. */
  readonly authorization: string
  readonly address: string
  readonly need: Need
}

export interface Verdict {
  /** The token's name, or the address. */
  readonly who: string
  /** Its token is one of ours. */
  readonly hasToken: boolean
  /** What its token may; null where none is asked for. */
  readonly scopes: readonly Scope[] | null
  /** Null where it may go on. */
  readonly problem: Problem | null
  /** Seconds after which it may come again, where it came too often. */
  readonly retryAfterS?: number
}

export class Guard {
  readonly #tokens: TokenFile | null
  readonly #limiter: RateLimiterMemory | null
  readonly audit: AuditLog | null

  constructor({ tokens, requestsPerSecond, audit }: GuardOptions) {
    this.#tokens = tokens
    this.audit = audit
    this.#limiter =
      requestsPerSecond === 0 ? null : new RateLimiterMemory({ points: requestsPerSecond, duration: 1 })
  }

  /** Nothing is asked, limited or noted. */
  get isIdle(): boolean {
    return this.#tokens === null && this.#limiter === null && this.audit === null
  }

  admit(ask: Ask): Verdict | Promise<Verdict> {
    const verdict = this.#identify(ask)
    // A token that is guessed at counts for the address that guesses.
    return this.#limiter === null || ask.need === null ? verdict : this.#limit(this.#limiter, verdict)
  }

  #identify({ authorization, address, need }: Ask): Verdict {
    if (this.#tokens === null || need === null || need === 'anyone')
      return { who: address, hasToken: false, scopes: null, problem: null }
    const given = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    const token = given === undefined ? null : this.#tokens.find(given)
    if (token === null) {
      const message = given === undefined ? 'a bearer token is required' : 'the bearer token is not known'
      return { who: address, hasToken: false, scopes: [], problem: { code: 'unauthenticated', message } }
    }
    const { name: who, scopes } = token
    return { who, hasToken: true, scopes, problem: need === 'token' ? null : lacks(who, scopes, need) }
  }

  async #limit(limiter: RateLimiterMemory, verdict: Verdict): Promise<Verdict> {
    try {
      await limiter.consume(`${verdict.hasToken ? 'token' : 'address'} ${verdict.who}`)
      return verdict
    } catch (error) {
      const { msBeforeNext } = error as RateLimiterRes
      const retryAfterS = Math.max(1, Math.ceil(msBeforeNext / 1000))
      const message = `more than ${limiter.points} requests in a second`
      return { ...verdict, problem: { code: 'overloaded', message }, retryAfterS }
    }
  }
}

/** Why a token may not, null where it may. @param scopes null where none is asked for */
export const lacks = (who: string, scopes: readonly Scope[] | null, need: Scope): Problem | null => {
  if (scopes === null || scopes.includes(need) || scopes.includes('admin')) return null
  return { code: 'forbidden', message: `token ${JSON.stringify(who)} lacks the scope ${need}` }
}
