/**
 * Quick looks at what is submitted, before valibot's.
 *
 * valibot looks for every key that there may be and copies whatever it reads: over a graph it takes as long as JSON.parse.
 * So a schema runs only over what is wrong, to say what is; its check holds only for what it lets through.
 */
import * as v from 'valibot'
import { isJsonObject } from '../domain/json.ts'

export type Check = (value: unknown) => boolean
const asGiven = v.any()
export const unless = <S extends v.GenericSchema>(isRight: Check, schema: S) =>
  v.lazy((value): v.GenericSchema<v.InferInput<S>, v.InferOutput<S>> => (isRight(value) ? asGiven : schema))

/** The checks of schemas, where there is one that is quicker than valibot's own. */
const CHECKS = new Map<unknown, Check>()
export const checked = <S extends v.GenericSchema>(schema: S, isRight: Check): S => {
  CHECKS.set(schema, isRight)
  return schema
}
const checkOf = (schema: v.GenericSchema): Check => CHECKS.get(schema) ?? ((value) => v.is(schema, value))

/** Of objects whose entries may all be absent or null. */
export const checkOfObject = (
  entries: Readonly<Record<string, { readonly wrapped: v.GenericSchema }>>,
): Check => {
  const checks = new Map(Object.entries(entries).map(([key, { wrapped }]) => [key, checkOf(wrapped)]))
  return (value) => {
    if (!isJsonObject(value)) return false
    for (const key in value) {
      const isRight = checks.get(key)
      const given = value[key]
      if (isRight !== undefined && given !== null && given !== undefined && !isRight(given)) return false
    }
    return true
  }
}
