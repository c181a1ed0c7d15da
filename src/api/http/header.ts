/** A header of a request as Node read it: the web's Headers object would be made for it first. */
import type { IncomingMessage } from 'node:http'

/** `name` in lower case. `''` where it is absent; several of one name are joined by `, `. */
export const headerOf = (incoming: IncomingMessage, name: string): string => {
  const given = incoming.headers[name]
  return typeof given === 'string' ? given : ''
}
