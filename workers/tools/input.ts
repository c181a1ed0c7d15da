/**
 * Reads a tool's fields out of its input. A field of the wrong JSON type does not stop the reading: the first such
 * problem is kept, in the words that the guide's clients know, and the tool refuses with it. Names of fields match
 * in any case, and null counts as absent.
 *
 * ```ts
 * const fields = new InputFields(input, context, 'sleep', 'SleepParams')
 * const durationMs = fields.integer('duration_ms')
 * if (fields.problem !== null) return refuse(fields.problem)
 * ```
 */
import type { Json, JsonObject } from '../../src/domain/json.ts'
import type { ToolContext } from './tool.ts'

const kindOf = (value: Json): string => {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value
}

const MAX_INT64 = 2 ** 63

export class InputFields {
  readonly #input: JsonObject
  readonly #what: string
  readonly #shape: string
  /** What is wrong with the fields read so far; null for nothing. */
  problem: string | null = null

  /** `what` and `shape` name the input in messages: `sleep params`, `SleepParams`. */
  constructor(input: JsonObject, context: ToolContext, what: string, shape: string) {
    this.#input = input
    this.#what = what
    this.#shape = shape
    if (context.inputJson === '') this.problem = `parse ${what}: unexpected end of JSON input`
  }

  /** `''` where absent. */
  string(name: string): string {
    const value = this.#value(name)
    if (typeof value === 'string') return value
    if (value !== null) this.#refuse(name, kindOf(value), 'string')
    return ''
  }

  /** 0 where absent. */
  integer(name: string, type = 'int64'): number {
    const value = this.#value(name)
    if (value === null) return 0
    if (typeof value !== 'number') this.#refuse(name, kindOf(value), type)
    else if (!Number.isInteger(value) || Math.abs(value) >= MAX_INT64)
      this.#refuse(name, `number ${value}`, type)
    else return value
    return 0
  }

  /** Null where absent. */
  strings(name: string): string[] | null {
    const value = this.#value(name)
    if (value === null) return null
    if (!Array.isArray(value)) {
      this.#refuse(name, kindOf(value), '[]string')
      return null
    }
    return value.map((item) => this.#text(name, item))
  }

  /** An object whose values are strings; no entries where absent. */
  stringEntries(name: string): [string, string][] {
    const value = this.#value(name)
    if (value === null) return []
    if (typeof value !== 'object' || Array.isArray(value)) {
      this.#refuse(name, kindOf(value), 'map[string]string')
      return []
    }
    return Object.entries(value).map(([key, item]) => [key, this.#text(name, item)])
  }

  #text(name: string, item: Json): string {
    if (typeof item === 'string') return item
    if (item !== null) this.#refuse(name, kindOf(item), 'string')
    return ''
  }

  #value(name: string): Json {
    const exact = this.#input[name]
    if (exact !== undefined) return exact
    for (const key in this.#input) {
      if (key.length === name.length && key.toLowerCase() === name) return this.#input[key] ?? null
    }
    return null
  }

  #refuse(name: string, kind: string, type: string): void {
    this.problem ??= `parse ${this.#what}: json: cannot unmarshal ${kind} into Go struct field ${this.#shape}.${name} of type ${type}`
  }
}
