/** One connection to an MCP server, from its opening to its end. It is not opened again: another takes its place. */
import {
  type CallToolResult,
  Client,
  SdkHttpError,
  type Tool,
  TRACEPARENT_META_KEY,
} from '@modelcontextprotocol/client'
import type { JsonObject } from '../../src/domain/json.ts'
import type { McpServerSpec } from '../../src/mcp/messages.ts'
import type { ServerGuard } from './guard.ts'
import { HttpTransport } from './http-transport.ts'
import type { McpLog } from './log.ts'
import type { MessageLimits } from './message-size.ts'
import { progressLines } from './progress.ts'
import { StderrLog } from './stderr-log.ts'
import { StdioTransport } from './stdio-transport.ts'

/** A server may have to be downloaded first. */
const CONNECT_WITHIN_MS = 60_000
/** How long a server may take to say which revisions it speaks, before it is taken for one that cannot. */
const PROBE_WITHIN_MS = 10_000
const LIST_WITHIN_MS = 30_000
const LEAVE_WITHIN_MS = 1000
/** The longest that a timer can: how long a call may take is its task's to say. */
const NO_TIMEOUT_MS = 2 ** 31 - 1

export interface ConnectionOptions {
  readonly guard: ServerGuard
  readonly log: McpLog
  readonly version: string
  readonly messageLimits: MessageLimits
  /** Of an open connection: how it ended, where it did so by itself. */
  readonly onEnd: (reason: string) => void
  readonly onTools: (tools: readonly Tool[]) => void
}

export interface CallOptions {
  readonly signal: AbortSignal
  readonly onProgress: (message: string) => void
  /** `''` for none. */
  readonly traceparent: string
}

/** The session was forgotten, as by a server that was started anew: the call was not begun. */
const isForgotten = (error: unknown, sessionId: string | undefined): boolean =>
  sessionId !== undefined && error instanceof SdkHttpError && [400, 404].includes(error.data.status)

/** Says that a call can be tried again on another connection. */
export class SessionForgotten extends Error {}

export class Connection {
  readonly #spec: McpServerSpec
  readonly #options: ConnectionOptions
  readonly #transport: StdioTransport | HttpTransport
  readonly #stderr: StderrLog
  readonly #client: Client
  #isOpen = false
  #isClosing = false

  constructor(spec: McpServerSpec, options: ConnectionOptions) {
    this.#spec = spec
    this.#options = options
    this.#stderr = new StderrLog(spec.name, options.log)
    this.#transport =
      spec.kind === 'http'
        ? new HttpTransport(spec, options.messageLimits)
        : new StdioTransport(spec, {
            guard: options.guard,
            messageLimits: options.messageLimits,
            onStderr: (chunk) => this.#stderr.append(chunk),
          })
    this.#client = new Client(
      { name: 'execgo', version: options.version },
      {
        versionNegotiation: { mode: 'auto', probe: { timeoutMs: PROBE_WITHIN_MS } },
        listChanged: {
          tools: { onChanged: (error, tools) => error === null && tools !== null && options.onTools(tools) },
        },
      },
    )
    this.#transport.onclose = () => this.#onClose()
  }

  /** Why a process ended, `''` while it runs and for what is no process. */
  get ending(): string {
    return this.#transport instanceof StdioTransport ? this.#transport.ending : ''
  }

  get protocol(): string {
    return this.#client.getNegotiatedProtocolVersion() ?? ''
  }

  /** Whether it speaks a revision before 2026-07-28, known once it is open. */
  get isLegacy(): boolean {
    return this.#client.getProtocolEra() === 'legacy'
  }

  /** Resolves to the server's tools. @param isLegacy whether it is known not to speak the later revisions */
  async open(isLegacy: boolean): Promise<readonly Tool[]> {
    await this.#client.connect(this.#transport, {
      timeout: CONNECT_WITHIN_MS,
      ...(isLegacy ? { prior: { kind: 'legacy' } } : {}),
    })
    const tools = await this.tools()
    this.#isOpen = true
    return tools
  }

  async tools(): Promise<readonly Tool[]> {
    const { tools } = await this.#client.listTools(undefined, {
      timeout: LIST_WITHIN_MS,
      cacheMode: 'refresh',
    })
    return tools
  }

  /** @throws {SessionForgotten} where nothing was done yet, and another connection can do it */
  async call(
    name: string,
    input: JsonObject,
    { signal, onProgress, traceparent }: CallOptions,
  ): Promise<CallToolResult> {
    try {
      return await this.#client.callTool(
        {
          name,
          arguments: input,
          ...(traceparent === '' ? {} : { _meta: { [TRACEPARENT_META_KEY]: traceparent } }),
        },
        { signal, timeout: NO_TIMEOUT_MS, onprogress: progressLines(onProgress) },
      )
    } catch (error) {
      const sessionId = this.#transport instanceof HttpTransport ? this.#transport.sessionId : undefined
      if (isForgotten(error, sessionId)) throw new SessionForgotten()
      throw error
    }
  }

  /** Ends it, and a process with it. Nobody is told of this end. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (this.#transport instanceof HttpTransport && this.#isOpen) {
      const timer = new Promise((resolve) => setTimeout(resolve, LEAVE_WITHIN_MS))
      await Promise.race([this.#transport.terminateSession().catch(() => {}), timer])
    }
    await this.#client.close().catch(() => {})
    // Where connecting failed, the client may have let go of it before.
    await this.#transport.close().catch(() => {})
    this.#stderr.end()
  }

  #onClose(): void {
    if (!this.#isOpen || this.#isClosing) return
    this.#isOpen = false
    this.#stderr.end()
    const ending = this.#spec.kind === 'stdio' ? this.ending : 'the connection ended'
    this.#options.onEnd(ending)
  }
}
