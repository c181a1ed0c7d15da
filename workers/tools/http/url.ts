/**
 * An address on the web: what is wrong with it, and how it is shown in a message.
 */
import { quote } from '../../../src/domain/quote.ts'

export type ParsedUrl =
  | { readonly ok: true; readonly url: URL }
  /** Not an address at all. */
  | { readonly ok: false; readonly kind: 'malformed'; readonly reason: string }
  /** An address, but none that can be asked. */
  | { readonly ok: false; readonly kind: 'unusable'; readonly reason: string }

const MAX_PORT = 65_535

const malformed = (reason: string): ParsedUrl => ({ ok: false, kind: 'malformed', reason })
const unusable = (reason: string): ParsedUrl => ({ ok: false, kind: 'unusable', reason })

const isControl = (character: string): boolean => character < ' ' || character === '\x7f'

const escapeProblem = (part: string): ParsedUrl | null => {
  const found = /%(?![0-9a-f]{2}).{0,2}/i.exec(part)
  return found === null ? null : malformed(`invalid URL escape ${quote(found[0])}`)
}

/** Why the host and port of an http address cannot be; null where they can. */
const authorityProblem = (authority: string): ParsedUrl | null => {
  const [, host = '', port = ''] =
    /^(\[[^\]]*\]?|[^:]*)(.*)$/s.exec(authority.slice(authority.lastIndexOf('@') + 1)) ?? []
  if (host.startsWith('[') && !host.endsWith(']')) return malformed("missing ']' in host")
  const odd = /[\s"<>\\^`{|}]/.exec(host)
  if (odd !== null) return malformed(`invalid character ${quote(odd[0])} in host name`)
  const badEscape = escapeProblem(host)
  if (badEscape !== null) return badEscape
  if (port !== '' && !/^:\d*$/.test(port)) return malformed(`invalid port ${quote(port)} after host`)
  if (host === '') return unusable('http: no Host in request URL')
  if (Number(port.slice(1)) > MAX_PORT) return unusable(`dial tcp: address ${port.slice(1)}: invalid port`)
  return null
}

/** Takes `text` apart. The reasons are the ones that the guide's clients know. */
export const parseUrl = (text: string): ParsedUrl => {
  if ([...text].some(isControl)) return malformed('net/url: invalid control character in URL')
  if (text.startsWith(':')) return malformed('missing protocol scheme')
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    const hasColon = text.split(/[/?#]/, 1)[0]!.includes(':')
    return hasColon
      ? malformed('first path segment in URL cannot contain colon')
      : unusable('unsupported protocol scheme ""')
  }
  if (scheme !== 'http' && scheme !== 'https') return unusable(`unsupported protocol scheme ${quote(scheme)}`)
  const authority = /^[a-z]+:\/\/([^/?#]*)/i.exec(text)?.[1]
  if (authority === undefined) return unusable('http: no Host in request URL')
  const problem = authorityProblem(authority)
  if (problem !== null) return problem
  const path = text.slice(scheme.length + 3 + authority.length).split(/[?#]/, 1)[0]!
  const badEscape = escapeProblem(path)
  if (badEscape !== null) return badEscape
  const url = URL.canParse(text) ? new URL(text) : null
  return url === null ? malformed('invalid URL') : { ok: true, url }
}

/** `text` as a message may show it: no password in it. */
export const shownUrl = (text: string): string =>
  text
    .replace(/^[a-z][a-z0-9+.-]*:/i, (scheme) => scheme.toLowerCase())
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#@:]*):[^/?#]*@/, '$1:***@')
