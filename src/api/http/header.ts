/**
 * A header of a request as Node read it: the web's Headers object would be made for it first. It is looked up where its
 * name stands, for which V8 remembers the place.
 */

/** `''` where it is absent; several of one name are joined by `, `. */
export const textOf = (given: string | readonly string[] | undefined): string =>
  typeof given === 'string' ? given : ''
