/**
 * One MCP server while the daemon lives: it is kept connected, and called.
 *
 * ```
 * start ─► connecting ─┬─► up ─── it ends ──┬─► at once, where it was up for a while
 *             ▲        └─► failed ──────────┴─► after 1 s, 2 s … 30 s; after a second where a call waits for it
 *             └────────────────────────────────────────┘
 * ```
 *
 * A call of a server that is not there waits for the next attempt to reach it, and fails where that one fails.
 */
import type { Tool } from '@modelcontextprotocol/client'
import type { JsonObject } from '../../src/domain/json.ts'
import type { McpServerSpec } from '../../src/mcp/messages.ts'
import { fail, refuse, type ToolResult } from '../tools/tool.ts'
import type { Offer } from './catalog.ts'
import { type CallOptions, Connection, type ConnectionOptions, SessionForgotten } from './connection.ts'
import { PlannedAttempt, endedOrAborted } from './planned-attempt.ts'
import { asksInvalid, reasonOf } from './reasons.ts'
import { resultOf } from './result.ts'

const FIRST_BACKOFF_MS = 1000
const LONGEST_BACKOFF_MS = 30_000
/** One that was up for so long is not one that cannot start. */
const STABLE_AFTER_MS = 10_000
/** Between two attempts that calls ask for. */
const ASKED_EVERY_MS = 1000

export interface ServerOptions extends Omit<ConnectionOptions, 'onEnd' | 'onTools'> {
  readonly outputLimitBytes: number
}

export class McpServer {
  readonly name: string
  readonly #spec: McpServerSpec
  readonly #options: ServerOptions
  #connection: Connection | null = null
  /** The one that is being opened. */
  #opening: Connection | null = null
  /** That is due or under way. */
  #attempt: PlannedAttempt | null = null
  #tools: readonly Tool[] | null = null
  #problem = 'it is being started'
  #failures = 0
  #attemptedAtMs = Number.NEGATIVE_INFINITY
  #upSinceMs = 0
  #isLegacy = false
  #isStopping = false

  constructor(spec: McpServerSpec, options: ServerOptions) {
    this.name = spec.name
    this.#spec = spec
    this.#options = options
  }

  /** Resolves when the first attempt to reach it is over, however. */
  start(): Promise<void> {
    return this.#attemptWithin(0)
  }

  get offer(): Offer {
    const tools = this.#tools?.map(({ name }) => name) ?? null
    return { server: this.name, tools, problem: this.#connection === null ? this.#problem : '' }
  }

  /** As it told last, also while it is not there. */
  get tools(): readonly Tool[] {
    return this.#tools ?? []
  }

  /** Null where there is no such tool: it was asked again. */
  async call(tool: string, input: JsonObject, options: CallOptions): Promise<ToolResult | null> {
    const connection = await this.#connected(options.signal)
    if (connection === null) return fail(`mcp server ${this.name} cannot be reached: ${this.#problem}`)
    if (!this.#has(tool)) {
      await this.#listAgain(connection)
      if (!this.#has(tool)) return null
    }
    try {
      return await this.#callOn(connection, tool, input, options)
    } catch (error) {
      if (!(error instanceof SessionForgotten)) return this.#failed(connection, tool, error)
    }
    this.#replace(connection)
    const next = await this.#connected(options.signal)
    if (next === null) return fail(`mcp server ${this.name} cannot be reached: ${this.#problem}`)
    return this.#callOn(next, tool, input, options).catch((error: unknown) => this.#failed(next, tool, error))
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#attempt?.forget()
    await Promise.all([this.#connection?.close(), this.#opening?.close()])
  }

  #has(tool: string): boolean {
    return this.tools.some(({ name }) => name === tool)
  }

  async #listAgain(connection: Connection): Promise<void> {
    this.#tools = await connection.tools().catch(() => this.#tools)
  }

  async #callOn(
    connection: Connection,
    tool: string,
    input: JsonObject,
    options: CallOptions,
  ): Promise<ToolResult> {
    const answer = await connection.call(tool, input, options)
    return resultOf(this.name, tool, answer, this.#options.outputLimitBytes)
  }

  #failed(connection: Connection, tool: string, error: unknown): ToolResult {
    const { ending } = connection
    const reason = ending === '' ? reasonOf(error) : `the server ended during the call (${ending})`
    const message = `mcp tool ${this.name}/${tool}: ${reason}`
    return ending === '' && asksInvalid(error) ? refuse(message) : fail(message)
  }

  /** Null where it cannot be reached. */
  async #connected(signal: AbortSignal): Promise<Connection | null> {
    if (this.#connection !== null || this.#isStopping) return this.#connection
    const attempt = this.#attemptWithin(Math.max(0, this.#attemptedAtMs + ASKED_EVERY_MS - performance.now()))
    await endedOrAborted(attempt, signal)
    return this.#connection
  }

  #replace(connection: Connection): void {
    if (this.#connection !== connection) return
    this.#connection = null
    void connection.close()
    void this.#attemptWithin(0)
  }

  /** Resolves when the next attempt is over, however. One that is planned for later comes within that time. */
  #attemptWithin(ms: number): Promise<void> {
    this.#attempt ??= new PlannedAttempt(async () => {
      await this.#connect()
      this.#attempt = null
      if (this.#connection === null && !this.#isStopping) void this.#attemptWithin(this.#backoffMs())
    })
    this.#attempt.beginWithin(ms)
    return this.#attempt.over
  }

  #backoffMs(): number {
    if (this.#failures === 0) return 0
    return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#failures - 1))
  }

  async #connect(): Promise<void> {
    this.#attemptedAtMs = performance.now()
    let opened = await this.#open(this.#isLegacy)
    // There are servers of before 2026 that end when they are asked which revisions they speak.
    if (opened.hasEnded && !this.#isLegacy) opened = await this.#open(true)
    const { connection, problem } = opened
    if (this.#isStopping) {
      await connection?.close()
      return
    }
    if (connection === null) {
      this.#failures++
      // Another version of it may be there the next time.
      this.#isLegacy = false
      if (problem !== this.#problem)
        this.#options.log(
          'warn',
          { mcp_server: this.name, reason: problem },
          'an MCP server cannot be reached',
        )
      this.#problem = problem
      return
    }
    this.#connection = connection
    this.#isLegacy = connection.isLegacy
    this.#upSinceMs = performance.now()
    const fields = { mcp_server: this.name, protocol: connection.protocol, tools: this.tools.length }
    this.#options.log('info', fields, 'an MCP server is there')
  }

  async #open(isLegacy: boolean): Promise<Opened> {
    if (this.#isStopping) return { connection: null, problem: 'the daemon is being stopped', hasEnded: false }
    let connection: Connection | null = null
    try {
      connection = new Connection(this.#spec, {
        ...this.#options,
        onEnd: (reason) => this.#onEnd(reason),
        onTools: (tools) => {
          this.#tools = tools
        },
      })
      this.#opening = connection
      this.#tools = await connection.open(isLegacy)
      return { connection, problem: '', hasEnded: false }
    } catch (error) {
      const ending = connection?.ending ?? ''
      await connection?.close()
      return {
        connection: null,
        problem: ending === '' ? reasonOf(error) : `it ended (${ending})`,
        hasEnded: ending !== '',
      }
    } finally {
      this.#opening = null
    }
  }

  #onEnd(reason: string): void {
    this.#connection = null
    this.#problem = `it ended (${reason})`
    const upMs = performance.now() - this.#upSinceMs
    this.#failures = upMs >= STABLE_AFTER_MS ? 0 : this.#failures + 1
    this.#options.log('warn', { mcp_server: this.name, reason }, 'an MCP server ended; it is started again')
    void this.#attemptWithin(this.#backoffMs())
  }
}

/** What came of an attempt. */
interface Opened {
  readonly connection: Connection | null
  /** Why there is none. */
  readonly problem: string
  /** It was a process, and that one ended. */
  readonly hasEnded: boolean
}
