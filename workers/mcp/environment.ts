/** The environment of an MCP server. */
import { randomUUID } from 'node:crypto'
import { RUN_MARKER } from '../process/environment.ts'

/** What a program needs to find its way, and nothing that may be a secret. */
const INHERITED = [
  'HOME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'TMPDIR',
  'TZ',
  'USER',
] as const

export interface ServerEnvironment {
  readonly variables: Readonly<Record<string, string>>
  /** By which all processes of this run of the server are found. */
  readonly marker: string
}

/** `given` wins over what is inherited. */
export const serverEnvironment = (given: Readonly<Record<string, string>>): ServerEnvironment => {
  const marker = `mcp-${randomUUID()}`
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { variables: { ...Object.fromEntries(inherited), ...given, [RUN_MARKER]: marker }, marker }
}
