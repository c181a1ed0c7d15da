/** All MCP servers that are configured: whom a call means, and what they offer together. */
import type { Tool } from '@modelcontextprotocol/client'
import type { JsonObject } from '../../src/domain/json.ts'
import type { McpHostStart } from '../../src/mcp/messages.ts'
import { fail, refuse, type ToolResult } from '../tools/tool.ts'
import { findTool, namedServer, unknownTool } from './catalog.ts'
import type { CallOptions } from './connection.ts'
import type { ServerGuard } from './guard.ts'
import type { McpLog } from './log.ts'
import type { MessageLimits } from './message-size.ts'
import { endedOrAborted } from './planned-attempt.ts'
import { McpServer } from './server.ts'

/** Whoever asks for the tools right after a start waits so long for those that are still starting. */
const LIST_WAITS_MS = 3000
/** A result may hold the same twice, as text and structured. */
const MESSAGE_BYTES_PER_OUTPUT_BYTE = 3
const LEAST_MESSAGE_BYTES = 2 ** 23
/** A message is held as bytes, as a text and as what it says, the latter more than once while it is checked. */
const MEMORY_PER_MESSAGE = 8
const VALUES_PER_MB = 1024

/** As much as results need, and as little as the thread's memory takes. */
const messageLimitsOf = ({ outputLimitBytes, memoryMb }: McpHostStart): MessageLimits => ({
  maxBytes: Math.min(
    Math.max(LEAST_MESSAGE_BYTES, MESSAGE_BYTES_PER_OUTPUT_BYTE * outputLimitBytes),
    (memoryMb * 2 ** 20) / MEMORY_PER_MESSAGE,
  ),
  maxValues: memoryMb * VALUES_PER_MB,
})

export class McpServers {
  readonly #servers: ReadonlyMap<string, McpServer>
  /** Settles when each was tried once. */
  #tried: Promise<void> = Promise.resolve()

  constructor(start: McpHostStart, { log, guard }: { readonly log: McpLog; readonly guard: ServerGuard }) {
    const { servers, outputLimitBytes, version } = start
    const options = { log, guard, version, outputLimitBytes, messageLimits: messageLimitsOf(start) }
    this.#servers = new Map(servers.map((spec) => [spec.name, new McpServer(spec, options)]))
  }

  start(): void {
    this.#tried = Promise.all(this.#all.map((server) => server.start())).then(() => {})
  }

  /** Never rejects. */
  async call(toolName: string, input: JsonObject, options: CallOptions): Promise<ToolResult> {
    try {
      return await this.#call(toolName, input, options)
    } catch (error) {
      return fail(`mcp tool ${toolName}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** As `GET /mcp/tools` shows them. */
  async list(): Promise<readonly JsonObject[]> {
    await endedOrAborted(this.#tried, AbortSignal.timeout(LIST_WAITS_MS))
    return this.#all.flatMap(({ name, tools }) => tools.map((tool) => shown(name, tool)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((server) => server.stop()))
  }

  get #all(): McpServer[] {
    return [...this.#servers.values()]
  }

  async #call(toolName: string, input: JsonObject, options: CallOptions): Promise<ToolResult> {
    if (toolName === '')
      return refuse('tool_name is required: server/tool, or tool where one server offers it')
    const named = namedServer(toolName, (name) => this.#servers.has(name))
    if (named !== null) return this.#callOf(named.server, named.tool, toolName, input, options)
    // Whether a name is the only one is known when all were asked.
    await endedOrAborted(this.#tried, options.signal)
    const found = findTool(toolName, this.#offers)
    return found.ok ? this.#callOf(found.server, found.tool, toolName, input, options) : found.result
  }

  async #callOf(
    server: string,
    tool: string,
    toolName: string,
    input: JsonObject,
    options: CallOptions,
  ): Promise<ToolResult> {
    const result = await this.#servers.get(server)!.call(tool, input, options)
    return result ?? unknownTool(toolName, [this.#servers.get(server)!.offer])
  }

  get #offers() {
    return this.#all.map(({ offer }) => offer)
  }
}

const shown = (server: string, tool: Tool): JsonObject => ({
  name: `${server}/${tool.name}`,
  category: 'mcp',
  description: tool.description ?? tool.title ?? '',
  input_schema: tool.inputSchema as JsonObject,
})
