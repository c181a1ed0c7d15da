/**
 * Addresses as `host:port`, taken apart the way the guide's clients know it.
 */
import { quote } from '../../src/domain/quote.ts'

export interface HostPort {
  /** `''` for this machine. */
  readonly host: string
  readonly port: number
}

const MAX_PORT = 65_535

const NAMED_PORTS: Readonly<Record<string, number>> = {
  domain: 53,
  ftp: 21,
  ftps: 990,
  gopher: 70,
  http: 80,
  https: 443,
  imap2: 143,
  imap3: 220,
  imaps: 993,
  pop3: 110,
  pop3s: 995,
  smtp: 25,
  ssh: 22,
  submissions: 465,
  telnet: 23,
}

/** The port, or why it is none. */
const portOf = (text: string): number | string => {
  if (/^[+-]?\d+$/.test(text)) {
    const port = Number(text)
    return port >= 0 && port <= MAX_PORT ? port : `address ${text}: invalid port`
  }
  if (text === '') return 0
  const name = text.toLowerCase()
  return Object.hasOwn(NAMED_PORTS, name) ? NAMED_PORTS[name]! : `address tcp/${text}: unknown port`
}

/** The parts of `address`, or why it has none: `address x: missing port in address`. */
export const splitHostPort = (address: string): HostPort | string => {
  const problem = (reason: string): string => `address ${address}: ${reason}`
  const colon = address.lastIndexOf(':')
  if (colon < 0) return problem('missing port in address')
  let host = address.slice(0, colon)
  if (address.startsWith('[')) {
    const end = address.indexOf(']')
    if (end < 0) return problem("missing ']' in address")
    if (end + 1 === address.length) return problem('missing port in address')
    if (end + 1 !== colon)
      return problem(address[end + 1] === ':' ? 'too many colons in address' : 'missing port in address')
    host = address.slice(1, end)
  } else if (host.includes(':')) {
    return problem('too many colons in address')
  }
  for (const bracket of ['[', ']']) {
    if (host.includes(bracket)) return problem(`unexpected ${quote(bracket).replaceAll('"', "'")} in address`)
  }
  const port = portOf(address.slice(colon + 1))
  return typeof port === 'string' ? port : { host, port }
}
