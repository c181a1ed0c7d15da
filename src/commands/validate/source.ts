/** The text of a graph, JSON or YAML, as a value whose parts know their places in the text. */
import {
  type Document,
  LineCounter,
  type YAMLError,
  isCollection,
  isMap,
  isNode,
  isScalar,
  parseDocument,
} from 'yaml'

export interface Position {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
}

/** What is wrong with the text itself. */
interface SyntaxProblem extends Position {
  readonly severity: 'error' | 'warning'
  readonly message: string
}

export interface Source {
  /** `undefined` where the text has an error. */
  readonly value: unknown
  readonly problems: readonly SyntaxProblem[]
  /** Where the part of the value under `path` is; the nearest thing around it where there is none. */
  readonly positionOf: (path: readonly (string | number)[], part?: 'key' | 'value') => Position
}

/** Aliases stand for the same thing again: a small file must not become a huge value where each is written out. */
const MOST_VALUES = 5_000_000
const MOST_CHARACTERS = 64 * 1024 * 1024

type Read = { readonly value: unknown } | { readonly offset: number; readonly message: string }

export const readSource = (text: string, isJson: boolean): Source => {
  const lines = new LineCounter()
  // JSON is YAML too, but for what JSON.parse says.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const read = isJson ? readJson(text) : readYaml(document)
  const problems = [...document.errors, ...document.warnings]
    // What only YAML objects to is no problem of a JSON text.
    .filter(({ code }) => !isJson || code === 'DUPLICATE_KEY')
    .map((error) => problemOf(error, isJson, at))
  if ('offset' in read) problems.push({ ...at(read.offset), severity: 'error', message: read.message })
  return {
    value: 'value' in read ? read.value : undefined,
    problems,
    positionOf: (path, part = 'value') => at(offsetOf(document, path, part)),
  }
}

const problemOf = (
  { code, message, pos, name }: YAMLError,
  isJson: boolean,
  at: (offset: number) => Position,
): SyntaxProblem => {
  // JSON takes the last one.
  const isWarning = name === 'YAMLWarning' || (isJson && code === 'DUPLICATE_KEY')
  return { ...at(pos[0]), severity: isWarning ? 'warning' : 'error', message }
}

const readJson = (text: string): Read => {
  const error = jsonError(text)
  if (error === null) return { value: JSON.parse(text) }
  // The message goes on with some of the text, which is shown already.
  return {
    offset: offsetOfJsonError(text),
    message: error.replace(/(, (\.\.\.)?"| in JSON at position).*$/s, ''),
  }
}

const jsonError = (text: string): string | null => {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/** Not every message says where. The text is right up to the longest beginning of which only the rest is missing. */
const offsetOfJsonError = (text: string): number => {
  let right = 0
  let wrong = text.length + 1
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1
    const error = jsonError(text.slice(0, middle))
    const lacksRest = error === null || /^Unterminated|^Unexpected end/.test(error)
    if (lacksRest || error.includes(`at position ${middle}`)) right = middle
    else wrong = middle
  }
  return Math.min(right, Math.max(0, text.length - 1))
}

const readYaml = (document: Document): Read => {
  if (document.errors.length > 0) return { value: undefined }
  try {
    const value: unknown = document.toJS({ maxAliasCount: -1 })
    return isTooLarge(value)
      ? { offset: 0, message: 'with its aliases written out it is too large' }
      : { value }
  } catch (error) {
    return { offset: 0, message: (error as Error).message }
  }
}

/** Also of one that is a part of itself, which has no end. */
const isTooLarge = (value: unknown): boolean => {
  const left: unknown[] = [value]
  let values = 0
  let characters = 0
  while (left.length > 0) {
    const each = left.pop()
    if (typeof each === 'string') characters += each.length
    else if (typeof each === 'object' && each !== null) {
      for (const [key, inner] of Object.entries(each)) {
        characters += key.length
        left.push(inner)
      }
      if (left.length > MOST_VALUES) return true
    }
    if (++values > MOST_VALUES || characters > MOST_CHARACTERS) return true
  }
  return false
}

const offsetOf = (document: Document, path: readonly (string | number)[], part: 'key' | 'value'): number => {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const key of path) {
    if (!isCollection(node)) break
    const pair = isMap(node)
      ? node.items.find((each) => isScalar(each.key) && each.key.value === key)
      : undefined
    const next: unknown = pair === undefined ? node.get(key, true) : pair.value
    if (next === undefined) break
    // An object or a list that is wrong is told by its key, a plain value by itself.
    const told = pair === undefined || (isScalar(next) && part === 'value') ? next : pair.key
    offset = startOf(told) ?? startOf(pair?.key) ?? offset
    node = next
  }
  return offset
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined)
