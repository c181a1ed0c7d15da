/** A value that JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A JSON object. */
export type JsonObject = { [key: string]: Json }

/** Whether `value` is a JSON object: not null, not an array. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Text of which JSON is the text itself in quotes. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** Whether a text is as many bytes as it has characters, and its JSON is the text itself in quotes. */
export const isPlain = (text: string): boolean => PLAIN.test(text)

/** A short text as JSON: ids and names mostly need no more than quotes, which costs half of writing them. */
export const textJson = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text))

let keptIds: readonly string[] = []
let keptIdsJson = '[]'

/** Ids as a JSON array. The last text is kept: the tasks of a layer wait for the same ones. */
export const idsJson = (ids: readonly string[]): string => {
  if (!areSame(ids, keptIds)) {
    keptIdsJson = JSON.stringify(ids)
    keptIds = ids
  }
  return keptIdsJson
}

/** Whether two lists name the same in the same order. */
export const areSame = (ids: readonly string[], others: readonly string[]): boolean => {
  if (ids === others) return true
  if (ids.length !== others.length) return false
  for (let at = 0; at < ids.length; at++) if (ids[at] !== others[at]) return false
  return true
}
