/**
 * A header of a request as Node read it: the web's Headers object would be made for it first. Who asks takes it out of
 * `incoming.headers` by a name that is written there: by one that is an argument, V8 searches each time.
 */

/** `''` where it is absent; several of one name are joined by `, `. */
export const textOf = (given: string | readonly string[] | undefined): string =>
  typeof given === 'string' ? given : ''
