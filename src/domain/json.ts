/** A value that JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A JSON object. */
export type JsonObject = { [key: string]: Json }

/** Whether `value` is a JSON object: not null, not an array. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

let keptIds: readonly string[] = []
let keptIdsJson = '[]'

/** Ids as a JSON array. The last text is kept: the tasks of a layer wait for the same ones. */
export const idsJson = (ids: readonly string[]): string => {
  if (!isSame(ids, keptIds)) {
    keptIdsJson = JSON.stringify(ids)
    keptIds = ids
  }
  return keptIdsJson
}

const isSame = (ids: readonly string[], others: readonly string[]): boolean => {
  if (ids.length !== others.length) return false
  for (let at = 0; at < ids.length; at++) if (ids[at] !== others[at]) return false
  return true
}
