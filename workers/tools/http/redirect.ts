/**
 * Where an answer sends the request on to. @see contract A5
 */
import type { IncomingMessage } from 'node:http'
import type { WebRequest } from './exchange.ts'
import { type ParsedUrl, parseUrl } from './url.ts'

export const MAX_REDIRECTS = 10

const TURNS_INTO_GET: ReadonlySet<number> = new Set([301, 302, 303])
const KEEPS_METHOD: ReadonlySet<number> = new Set([307, 308])

/** Not for another host's eyes. */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'cookie2', 'www-authenticate'] as const

/** The text of the `Location` to follow; null where the answer is itself the result. */
export const locationOf = (answer: IncomingMessage): string | null => {
  const status = answer.statusCode ?? 0
  const isRedirect = TURNS_INTO_GET.has(status) || KEEPS_METHOD.has(status)
  return isRedirect ? answer.headers.location || null : null
}

/** `location` seen from `base`, as text. */
const resolved = (location: string, base: URL): string =>
  /^[a-z][a-z0-9+.-]*:/i.test(location) || !URL.canParse(location, base.href)
    ? location
    : new URL(location, base).href

const isSameOrSubdomain = (host: string, of: string): boolean => host === of || host.endsWith(`.${of}`)

/** The next request, or why its address cannot be asked. `shown` is that address as a message names it. */
export const redirected = (
  last: WebRequest,
  status: number,
  location: string,
): { readonly shown: string; readonly next: WebRequest | null; readonly parsed: ParsedUrl } => {
  const shown = resolved(location, last.url)
  const parsed = parseUrl(shown)
  if (!parsed.ok) return { shown, next: null, parsed }
  const { url } = parsed
  const headers = new Map(last.headers)
  if (!isSameOrSubdomain(url.hostname, last.url.hostname)) {
    for (const name of PRIVATE_HEADERS) headers.delete(name)
  }
  if (!(last.url.protocol === 'https:' && url.protocol === 'http:')) {
    const from = new URL(last.url)
    from.username = from.password = from.hash = ''
    headers.set('referer', from.href)
  } else {
    headers.delete('referer')
  }
  if (!TURNS_INTO_GET.has(status)) return { shown, parsed, next: { ...last, url, headers } }
  headers.delete('content-length')
  headers.delete('content-type')
  const method = last.method === 'HEAD' ? 'HEAD' : 'GET'
  return { shown, parsed, next: { method, url, headers, body: null } }
}
