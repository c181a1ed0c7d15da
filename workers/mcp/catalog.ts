/** Which server a tool's name means. */
import { quote } from '../../src/domain/quote.ts'
import { fail, refuse, type ToolResult } from '../tools/tool.ts'

/** What is known of a server. */
export interface Offer {
  readonly server: string
  /** Names of its tools, as it told them last; null where it was not reached yet. */
  readonly tools: readonly string[] | null
  /** Why it is not there, `''` where it is. */
  readonly problem: string
}

export type Found =
  | { readonly ok: true; readonly server: string; readonly tool: string }
  | { readonly ok: false; readonly result: ToolResult }

const MAX_NAMES_CHARACTERS = 2000

/** `a/x, a/y, b/x`, cut where it gets long. */
const listed = (names: readonly string[]): string => {
  const text = names.join(', ')
  return text.length <= MAX_NAMES_CHARACTERS ? text : `${text.slice(0, MAX_NAMES_CHARACTERS)}…`
}

/** The server that `server/tool` names, and the tool; null where no server has that name. */
export const namedServer = (
  toolName: string,
  hasServer: (name: string) => boolean,
): { server: string; tool: string } | null => {
  const slash = toolName.indexOf('/')
  const server = toolName.slice(0, Math.max(slash, 0))
  return slash > 0 && hasServer(server) ? { server, tool: toolName.slice(slash + 1) } : null
}

/** What cannot be found: what there is instead. */
export const unknownTool = (toolName: string, offers: readonly Offer[]): ToolResult => {
  const names = offers.flatMap(({ server, tools }) => (tools ?? []).map((tool) => `${server}/${tool}`))
  const missing = offers.flatMap(({ server, tools, problem }) =>
    tools === null ? [`${server}: ${problem}`] : [],
  )
  const available = `available: ${names.length === 0 ? 'none' : listed(names)}`
  const message = `unknown mcp tool ${quote(toolName)} (${[available, ...missing.map((each) => `not reached: ${each}`)].join('; ')})`
  // One that is not there yet may offer it when it is.
  return missing.length === 0 ? refuse(message) : fail(message)
}

/** The one server that offers a tool of this name. */
export const findTool = (tool: string, offers: readonly Offer[]): Found => {
  const offering = offers.filter(({ tools }) => tools?.includes(tool))
  const [only] = offering
  if (only === undefined) return { ok: false, result: unknownTool(tool, offers) }
  if (offering.length === 1) return { ok: true, server: only.server, tool }
  const candidates = offering.map(({ server }) => `${server}/${tool}`).join(', ')
  return {
    ok: false,
    result: refuse(`mcp tool ${quote(tool)} is offered by more than one server: name one of ${candidates}`),
  }
}
