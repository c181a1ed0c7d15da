/**
 * Reads the file of MCP servers: `{"mcpServers": {"<name>": {…}}}`, as other programs that call such servers read it.
 * What is wrong with it is said with the path of the field. `${NAME}` and `${NAME:-default}` stand for variables.
 */
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { isJsonObject } from '../domain/json.ts'
import type { McpServerSpec } from './messages.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface McpConfig {
  /** In the file's order. */
  readonly servers: readonly McpServerSpec[]
  /** Fields that mean nothing here: `mcpServers.files.autoApprove`. */
  readonly ignored: readonly string[]
}

const text = v.string()
const filledText = v.pipe(text, v.nonEmpty('a text that is not empty'))
/** Valibot takes an array for a record too. */
const object = v.custom<Record<string, unknown>>(isJsonObject, 'an object')
const texts = v.pipe(object, v.record(text, text))

const StdioServer = v.object({
  type: v.optional(v.literal('stdio', '"stdio" for a server with a command')),
  command: filledText,
  args: v.optional(v.array(text), []),
  env: v.optional(texts, {}),
  cwd: v.optional(text, ''),
  disabled: v.optional(v.boolean(), false),
})

const HttpServer = v.object({
  type: v.optional(
    v.picklist(
      ['http', 'streamable-http', 'streamableHttp'],
      '"http", the one way to reach a server by its url here',
    ),
  ),
  url: filledText,
  headers: v.optional(texts, {}),
  disabled: v.optional(v.boolean(), false),
})

const File = v.pipe(object, v.object({ mcpServers: v.pipe(object, v.record(text, object)) }))

/** @throws with a message that names the field, and one for a file that cannot be read */
export const readMcpConfig = (path: string, environment: Environment): McpConfig => {
  const { mcpServers } = checked(File, parseJson(readFileSync(path, 'utf8')), '')
  const ignored: string[] = []
  const servers = Object.entries(mcpServers).flatMap(([name, fields]) => {
    const place = `mcpServers.${name}`
    if (!/^[^/\p{Cc}]+$/u.test(name))
      throw new Error(`${place}: a server's name holds something, and neither a slash nor control characters`)
    if (fields['disabled'] === true) return []
    const expanded = expand(fields, environment, place) as Record<string, unknown>
    const { spec, known } = serverOf(name, expanded, place)
    ignored.push(...Object.keys(fields).flatMap((field) => (known.has(field) ? [] : [`${place}.${field}`])))
    return spec
  })
  return { servers, ignored }
}

interface Server {
  readonly spec: McpServerSpec
  readonly known: ReadonlySet<string>
}

const serverOf = (name: string, fields: Record<string, unknown>, place: string): Server => {
  if ('command' in fields === 'url' in fields)
    throw new Error(`${place}: expected a command or a url, and not both`)
  if ('command' in fields) {
    const { type: _type, disabled: _disabled, ...rest } = checked(StdioServer, fields, place)
    checkSpawnable(rest, place)
    return {
      spec: { name, kind: 'stdio', ...rest },
      known: new Set(Object.keys(StdioServer.entries)),
    }
  }
  const { url, headers } = checked(HttpServer, fields, place)
  checkUrl(url, `${place}.url`)
  checkHeaders(headers, `${place}.headers`)
  return {
    spec: { name, kind: 'http', url, headers },
    known: new Set(Object.keys(HttpServer.entries)),
  }
}

const parseJson = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new Error(`it is no JSON: ${(error as Error).message}`, { cause: error })
  }
}

const checked = <S extends v.GenericSchema>(schema: S, value: unknown, place: string): v.InferOutput<S> => {
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  const path = [place, v.getDotPath(issue) ?? ''].filter((part) => part !== '').join('.')
  const wanted = issue.message.startsWith('Invalid') ? (issue.expected ?? 'something else') : issue.message
  if (issue.received === 'undefined') throw new Error(`${path} is missing`)
  throw new Error(`${path === '' ? '' : `${path}: `}expected ${wanted}, got ${issue.received}`)
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/** `value` with the variables of all texts in it; names of fields stay. */
const expand = (value: unknown, environment: Environment, place: string): unknown => {
  if (typeof value === 'string')
    return value.replace(VARIABLE, (_, name: string, fallback: string | undefined) => {
      // As in a shell, an empty variable takes the default too.
      const found = environment[name] || (fallback ?? environment[name])
      if (found === undefined) throw new Error(`${place}: the variable ${name} is not set`)
      return found
    })
  if (Array.isArray(value)) return value.map((item, at) => expand(item, environment, `${place}.${at}`))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, expand(item, environment, `${place}.${name}`)]),
  )
}

const checkSpawnable = (
  { command, args, env, cwd }: Pick<McpServerSpec & { kind: 'stdio' }, 'command' | 'args' | 'env' | 'cwd'>,
  place: string,
): void => {
  const all = [command, cwd, ...args, ...Object.keys(env), ...Object.values(env)]
  if (all.some((each) => each.includes('\0'))) throw new Error(`${place}: a NUL cannot be given to a process`)
  for (const name of Object.keys(env)) {
    if (name === '' || name.includes('='))
      throw new Error(`${place}.env: ${JSON.stringify(name)} is no name of a variable`)
  }
}

const checkUrl = (url: string, place: string): void => {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    // Without the value: there may be a secret in it.
    throw new Error(`${place}: expected an address like https://example.com/mcp`)
}

const checkHeaders = (headers: Readonly<Record<string, string>>, place: string): void => {
  for (const [name, value] of Object.entries(headers)) {
    try {
      new Headers([[name, value]])
    } catch (error) {
      throw new Error(`${place}.${name}: not the name and value of a header`, { cause: error })
    }
  }
}
