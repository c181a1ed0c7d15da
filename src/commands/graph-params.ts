/**
 * Parameters of a graph file. `${{ params.name }}` in a text stands for what the command line gives, or for the default that
 * the file's own `params` says; the shell's `${name}` is left alone.
 *
 * ```yaml
 * params: { env: test, replicas: 2, version: null }   # null: must be given
 * tasks:
 *   - { id: deploy, type: shell, params: { script: 'deploy ${{ params.env }} "${VERSION}"' } }
 *   - { id: wait, type: sleep, params: { duration_ms: '${{ params.pause }}' } }
 * ```
 *
 * A text that is nothing but one of them becomes what it stands for, of whatever type. `$${{` stands for `${{`.
 */
import { type Json, type JsonObject, isJsonObject } from '../domain/json.ts'
import { isDeeperThan } from '../domain/json-depth.ts'

export type Path = readonly (string | number)[]

interface ParamProblem {
  readonly path: Path
  readonly message: string
  /** A value may still be given. */
  readonly isMissing: boolean
}

export interface Filled {
  /** Without `params`; what cannot be filled in is as it was. */
  readonly value: unknown
  readonly problems: readonly ParamProblem[]
}

/** A value as it is on the command line; of `name:=…`, under `name:`, it is JSON. */
export type GivenParams = Readonly<Record<string, string>>

const NAME = /^[A-Za-z_][\w-]*$/
const PLACEHOLDER = /\$(\$\{\{)|\$\{\{(.*?)\}\}/gs
const WHOLE = /^\$\{\{((?:(?!\}\}).)*)\}\}$/s

/** The most that a daemon can be set to take. */
const MOST_LEVELS = 1000

/** Whether it is a text that holds what would be filled in. */
export const hasPlaceholder = (value: unknown): boolean => typeof value === 'string' && value.includes('${{')

/** @param value what the text of the file holds */
export const fillParams = (value: unknown, given: GivenParams): Filled => {
  if (isDeeperThan(value, MOST_LEVELS))
    return { value, problems: [wrong([], `nested more than ${MOST_LEVELS} levels deep`)] }
  if (!isJsonObject(value)) return { value, problems: [] }
  const { params: declared, ...graph } = value
  if (declared != null && !isJsonObject(declared))
    return {
      value: graph,
      problems: [wrong(['params'], 'params must be an object: names and their defaults')],
    }
  const params = new Params(declared ?? {}, given)
  const filled = params.fill(graph, [])
  params.checkNames()
  return { value: filled, problems: params.problems }
}

const wrong = (path: Path, message: string): ParamProblem => ({ path, message, isMissing: false })

class Params {
  readonly problems: ParamProblem[] = []
  readonly #defaults: JsonObject
  readonly #given: ReadonlyMap<string, { readonly text: string; readonly isJson: boolean }>
  readonly #asked = new Set<string>()
  readonly #values = new Map<string, Json | undefined>()

  constructor(defaults: JsonObject, given: GivenParams) {
    this.#defaults = defaults
    this.#given = new Map(
      Object.entries(given).map(([name, text]) => {
        const isJson = name.endsWith(':')
        return [isJson ? name.slice(0, -1) : name, { text, isJson }] as const
      }),
    )
  }

  /** Names that nobody asks for are mistyped ones. */
  checkNames(): void {
    const known = [...new Set([...Object.keys(this.#defaults), ...this.#asked])]
    for (const name of Object.keys(this.#defaults))
      if (!NAME.test(name))
        this.problems.push(wrong(['params', name], 'a name is made of letters, digits, - and _'))
    for (const name of this.#given.keys()) {
      if (known.includes(name)) continue
      const others = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`
      this.problems.push(wrong([], `--param ${name}: the graph has no such parameter (${others})`))
    }
  }

  fill(value: Json, path: Path): Json {
    if (typeof value === 'string') return hasPlaceholder(value) ? this.#fillText(value, path) : value
    if (Array.isArray(value)) return value.map((each, at) => this.fill(each, [...path, at]))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, this.fill(each, [...path, key])]),
    )
  }

  #fillText(text: string, path: Path): Json {
    const whole = WHOLE.exec(text)
    if (whole !== null) {
      const value = this.#valueOf(whole[1]!, path)
      return value === undefined ? text : value
    }
    return text.replace(PLACEHOLDER, (placeholder, literal: string | undefined, inner: string) => {
      if (literal !== undefined) return literal
      const value = this.#valueOf(inner, path)
      if (value === undefined) return placeholder
      return typeof value === 'string' ? value : JSON.stringify(value)
    })
  }

  #valueOf(inner: string, path: Path): Json | undefined {
    const name = /^params\.(.*)$/s.exec(inner.trim())?.[1]
    if (name === undefined || !NAME.test(name)) {
      const shown = `\${{${inner}}}`
      this.problems.push(
        wrong(path, `${shown}: only \${{ params.<name> }} is filled in ($\${{ stands for \${{)`),
      )
      return undefined
    }
    this.#asked.add(name)
    if (!this.#values.has(name)) this.#values.set(name, this.#read(name))
    const value = this.#values.get(name)
    if (value === undefined && !this.#given.has(name)) {
      const message = `params.${name} is not given: --param ${name}=…, or a default under params`
      this.problems.push({ path, message, isMissing: true })
    }
    return value
  }

  /** Of the type of its default; a text where there is none. */
  #read(name: string): Json | undefined {
    const given = this.#given.get(name)
    const fallback = Object.hasOwn(this.#defaults, name) ? (this.#defaults[name] ?? undefined) : undefined
    if (given === undefined) return fallback
    const { text, isJson } = given
    if (!isJson && (fallback === undefined || typeof fallback === 'string')) return text
    const value = jsonIn(text)
    const expected = isJson ? 'JSON' : kindOf(fallback!)
    if (value !== undefined && (isJson || kindOf(value) === expected)) return value
    this.problems.push(wrong([], `--param ${name}: expected ${expected}, got ${JSON.stringify(text)}`))
    return undefined
  }
}

const jsonIn = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

const kindOf = (value: Json): string => {
  if (Array.isArray(value)) return 'a list in JSON'
  if (typeof value === 'object') return 'an object in JSON'
  return typeof value === 'boolean'
    ? 'true or false'
    : `a ${typeof value === 'string' ? 'text' : typeof value}`
}
