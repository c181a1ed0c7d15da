/** Graphs as files: JSON or YAML, with `${name}` for what the command line gives. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { GraphSpec } from '../client/index.ts'
import { CommandError } from './terminal.ts'

export interface GraphFileOptions {
  readonly params: Readonly<Record<string, string>>
  readonly stdin: NodeJS.ReadStream
}

/** @param path `-` for stdin. @throws CommandError 2 where it cannot be read or is none */
export const readGraphFile = async (
  path: string,
  { params, stdin }: GraphFileOptions,
): Promise<GraphSpec> => {
  const source = await (path === '-' ? text(stdin) : readFile(path, 'utf8')).catch((error: Error) => {
    throw new CommandError(2, `cannot read ${path}: ${error.message}`)
  })
  const { parse } = await import('yaml')
  try {
    return fill(parse(source), params) as GraphSpec
  } catch (error) {
    throw new CommandError(2, `${path}: ${(error as Error).message}`)
  }
}

const fill = (value: unknown, params: Readonly<Record<string, string>>): unknown => {
  if (typeof value === 'string')
    return value.replace(/\$\{(\w+)\}/g, (whole, name: string) => params[name] ?? whole)
  if (Array.isArray(value)) return value.map((each) => fill(each, params))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each, params)]))
}
