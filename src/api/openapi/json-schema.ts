/** A valibot schema as JSON Schema 2020-12: those kinds that the wire's schemas are made of, others are refused. */
import type * as v from 'valibot'
import type { Json, JsonObject } from '../../domain/json.ts'

/** What is looked at of a schema, or of an action in a pipe. */
interface Part {
  readonly kind: string
  readonly type: string
  readonly pipe?: readonly Part[]
  readonly wrapped?: Part
  readonly item?: Part
  readonly value?: Part
  readonly entries?: Readonly<Record<string, Part>>
  readonly options?: readonly unknown[]
  readonly literal?: Json
  readonly requirement?: Json
  readonly metadata?: JsonObject
  readonly description?: string
  readonly getter?: (input: unknown) => Part
}

/** What has a name in the document, so that it is told once. */
export type Named = ReadonlyMap<v.GenericSchema, string>

export const jsonSchema = (schema: v.GenericSchema, named: Named, isRoot = false): JsonObject => {
  const name = isRoot ? undefined : named.get(schema)
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  const part = schema as unknown as Part
  const convert = (other: Part): JsonObject => jsonSchema(other as unknown as v.GenericSchema, named)
  return part.pipe === undefined ? ofKind(part, convert) : ofPipe(part.pipe, convert)
}

type Convert = (part: Part) => JsonObject

/** The last schema of a pipe says most; checks make it narrower. */
const ofPipe = (pipe: readonly Part[], convert: Convert): JsonObject => {
  let schema: JsonObject = {}
  for (const [at, part] of pipe.entries()) {
    if (part.kind === 'schema') schema = at === 0 ? ofKind(part, convert) : convert(part)
    else schema = { ...schema, ...ofAction(part) }
  }
  return schema
}

const ofAction = (action: Part): JsonObject => {
  switch (action.type) {
    case 'safe_integer':
      return { type: 'integer' }
    case 'min_value':
      return { minimum: action.requirement! }
    case 'max_value':
      return { maximum: action.requirement! }
    case 'regex':
      return { pattern: (action.requirement as unknown as RegExp).source }
    case 'metadata':
      return action.metadata!
    case 'description':
      return { description: action.description! }
    default:
      return {}
  }
}

const ofKind = (part: Part, convert: Convert): JsonObject => {
  switch (part.type) {
    case 'string':
    case 'boolean':
    case 'number':
      return { type: part.type }
    case 'any':
    case 'unknown':
      return {}
    // The wire's own checks are of objects all of them.
    case 'custom':
      return { type: 'object' }
    case 'literal':
      return { const: part.literal! }
    case 'picklist':
      return { type: 'string', enum: part.options as Json[] }
    case 'array':
      return { type: 'array', items: convert(part.item!) }
    case 'record':
      return { type: 'object', additionalProperties: convert(part.value!) }
    case 'union':
      return { anyOf: (part.options as Part[]).map(convert) }
    case 'lazy':
      return convert(part.getter!(undefined))
    case 'optional':
      return convert(part.wrapped!)
    case 'nullable':
    case 'nullish':
      return orNull(convert(part.wrapped!))
    case 'object':
      return ofObject(part.entries!, convert)
    default:
      throw new Error(`no JSON Schema is known for ${part.type}`)
  }
}

const orNull = (schema: JsonObject): JsonObject => {
  if (typeof schema['type'] !== 'string') return { anyOf: [schema, { type: 'null' }] }
  const values = schema['enum']
  return {
    ...schema,
    type: [schema['type'], 'null'],
    ...(Array.isArray(values) ? { enum: [...values, null] } : {}),
  }
}

const ofObject = (entries: Readonly<Record<string, Part>>, convert: Convert): JsonObject => {
  const required = Object.entries(entries)
    .filter(([, { type }]) => type !== 'optional' && type !== 'nullish')
    .map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(entries).map(([name, part]) => [name, convert(part)])),
    ...(required.length > 0 ? { required } : {}),
  }
}
