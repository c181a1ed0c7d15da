/** Graphs as files: JSON or YAML, with parameters that the command line fills in. @see ./graph-params.ts */
import { readFile } from 'node:fs/promises'
import type { GraphSpec } from '../client/index.ts'
import { DEFAULT_LIMITS } from '../domain/limits.ts'
import { type GivenParams, type Path, fillParams } from './graph-params.ts'
import { readStdin } from './stdin.ts'
import { CommandError, type Terminal } from './terminal.ts'

export interface GraphFileOptions {
  readonly params: GivenParams
  readonly terminal: Pick<Terminal, 'stdin' | 'signal'>
  /** What is not given stays as it is written: for who only looks at the graph. */
  readonly mayMiss?: boolean
}

interface Problem {
  readonly path: Path
  readonly message: string
}

export interface GraphFile {
  readonly graph: GraphSpec
  /** `graph.yaml:12:5: what is wrong`, in the order of the file. What has no place in it comes first, by itself. */
  readonly told: (problems: readonly Problem[]) => Promise<string[]>
}

/** @param path `-` for stdin. @throws CommandError 2 where it cannot be read or is none */
export const readGraphFile = async (path: string, options: GraphFileOptions): Promise<GraphSpec> =>
  (await openGraphFile(path, options)).graph

/** As {@link readGraphFile}, and tells where in the file something is wrong. */
export const openGraphFile = async (
  path: string,
  { params, terminal, mayMiss = false }: GraphFileOptions,
): Promise<GraphFile> => {
  const text = await textOf(path, terminal)
  // A text from standard input may be either.
  const isJson = path.endsWith('.json') || (!/\.ya?ml$/.test(path) && /^\s*\{/.test(text))
  const value = (isJson ? jsonIn(text) : undefined) ?? (await valueIn(text, path, isJson))
  const told: GraphFile['told'] = async (problems) => {
    const { readSource } = await import('./validate/source.ts')
    const { positionOf } = readSource(text, isJson)
    return problems
      .map(({ path: part, message }) => ({ message, ...(part.length === 0 ? NOWHERE : positionOf(part)) }))
      .sort((a, b) => a.line - b.line || a.column - b.column)
      .map(({ line, column, message }) => (line === 0 ? message : `${path}:${line}:${column}: ${message}`))
  }
  const filled = fillParams(value, params)
  const problems = filled.problems.filter(({ isMissing }) => !(isMissing && mayMiss))
  if (problems.length > 0) throw refusal(await told(problems))
  return { graph: filled.value as GraphSpec, told }
}

const NOWHERE = { line: 0, column: 0 }

const MOST_TOLD = 10

/** Each in a line of its own. */
export const refusal = (problems: readonly string[]): CommandError => {
  const told = problems.slice(0, MOST_TOLD)
  const more = problems.length - told.length
  return new CommandError(2, [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('\nexecgo: '))
}

/** Most of them are right: nobody need know where in the text its parts are. */
const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const valueIn = async (text: string, path: string, isJson: boolean): Promise<unknown> => {
  const { readSource } = await import('./validate/source.ts')
  const { value, problems } = readSource(text, isJson)
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length > 0)
    throw refusal(errors.map(({ line, column, message }) => `${path}:${line}:${column}: ${message}`))
  return value
}

const textOf = async (path: string, terminal: GraphFileOptions['terminal']): Promise<string> => {
  const reading = path === '-' ? readStdin(terminal, DEFAULT_LIMITS.bodyBytes + 1) : readFile(path, 'utf8')
  const text = await reading.catch((error: Error) => {
    throw unreadable(path, error)
  })
  if (text.length > DEFAULT_LIMITS.bodyBytes)
    throw new CommandError(2, `cannot read ${path}: it is larger than ${DEFAULT_LIMITS.bodyBytes} bytes`)
  return text
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
}

export const unreadable = (path: string, error: Error & { readonly code?: string }): CommandError =>
  new CommandError(2, `cannot read ${path}: ${REASONS[error.code ?? ''] ?? error.message}`)
