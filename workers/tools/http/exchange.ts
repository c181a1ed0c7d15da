/**
 * One request and the head of its answer, on a connection of its own that ends with it.
 */
import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http'
import { request as requestHttps } from 'node:https'
import type { WorkerSettings } from '../../../src/pool/messages.ts'
import { asSystemError, dialReason, errnoText } from '../../reasons.ts'
import { isRefusedAddress, lookupFor, NOT_PUBLIC, refusalOf } from '../net-policy.ts'

export interface WebRequest {
  readonly method: string
  readonly url: URL
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** Null for none. */
  readonly body: Buffer | null
}

export type Exchange =
  | { readonly ok: true; readonly answer: IncomingMessage; readonly request: ClientRequest }
  /** `isDenied`: by the net policy, which another attempt will not change. */
  | { readonly ok: false; readonly reason: string; readonly isDenied?: true }

const HEAD_LIMIT_BYTES = 1024 * 1024

const UNTRUSTED = 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
const EXPIRED = 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'

const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: EXPIRED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
}

/** What OpenSSL says of an answer that is no TLS: its code differs between Node's versions, its words do not. */
const NOT_TLS = /wrong version number|packet length too long/

const failureReason = (error: unknown, url: URL): string => {
  const outer = asSystemError(error)
  const first = outer.errors?.[0] ?? outer
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  if (first.syscall === 'connect' || first.syscall === 'getaddrinfo') return dialReason(error, host, port)
  const known = REASONS[first.code ?? '']
  if (known !== undefined) return known
  if (NOT_TLS.test(first.message ?? '')) return 'http: server gave HTTP response to HTTPS client'
  if (first.code === 'ECONNRESET')
    return first.syscall === undefined ? 'EOF' : `${first.syscall}: ${errnoText(first)}`
  if (first.code?.startsWith('HPE_'))
    return `net/http: HTTP/1.x transport connection broken: ${first.message}`
  return errnoText(first)
}

const optionsOf = (
  { method, headers, url }: WebRequest,
  settings: WorkerSettings,
): RequestOptions & { autoSelectFamilyAttemptTimeout: number } => ({
  method,
  headers: Object.fromEntries(headers),
  // An agent of its own: no socket is kept for another request.
  agent: false,
  maxHeaderSize: HEAD_LIMIT_BYTES,
  autoSelectFamilyAttemptTimeout: 1000,
  ...lookupFor(settings),
  ...(url.username === '' || headers.has('authorization')
    ? {}
    : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }),
})

/** Sends the request; whoever gets an answer destroys the request when done with it. */
export const exchange = (
  asked: WebRequest,
  signal: AbortSignal,
  settings: WorkerSettings,
): Promise<Exchange> =>
  new Promise((resolve) => {
    if (isRefusedAddress(asked.url.hostname, settings)) {
      resolve({ ok: false, reason: refusalOf(asked.url.hostname), isDenied: true })
      return
    }
    const start = asked.url.protocol === 'https:' ? requestHttps : requestHttp
    let request: ClientRequest
    try {
      request = start(asked.url, optionsOf(asked, settings))
    } catch (error) {
      resolve({ ok: false, reason: errnoText(error) })
      return
    }
    const onAbort = (): void => {
      request.destroy(new Error(String(signal.reason)))
    }
    // Between two redirects it may have been aborted already.
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    request.once('close', () => signal.removeEventListener('abort', onAbort))
    const settle = (answer: IncomingMessage): void => resolve({ ok: true, answer, request })
    request.once('response', settle)
    // An answer that turns the connection into something else is an answer without a body.
    for (const turn of ['upgrade', 'connect'] as const) {
      request.once(turn, (answer: IncomingMessage, socket) => {
        socket.destroy()
        settle(answer)
      })
    }
    // It stays for good: after the answer the error shows in the body's stream.
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === NOT_PUBLIC
          ? { ok: false, reason: error.message, isDenied: true }
          : { ok: false, reason: failureReason(error, asked.url) },
      ),
    )
    request.end(asked.body ?? undefined)
  })
