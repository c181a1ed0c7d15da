/** Which names and addresses mean this machine and no other. */
import { isIP } from 'node:net'

/** Of an address or a host's name, without a port. Nothing is looked up: a name other than localhost may be anyone's. */
export const isLoopback = (host: string): boolean => {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  if (name === 'localhost' || name === '::1') return true
  const mapped = name.startsWith('::ffff:') ? name.slice(7) : name
  return isIP(mapped) === 4 && mapped.startsWith('127.')
}

/** `[::1]` out of `[::1]:8080`, `localhost` out of `localhost`; `''` where it is no host and port. */
export const hostIn = (authority: string): string =>
  /^(\[[0-9a-f:.]+\]|[^:[\]@/\s]+)(?::\d{1,5})?$/i.exec(authority)?.[1] ?? ''
