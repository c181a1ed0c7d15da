/**
 * What a server says on standard error, as lines of the daemon's log: long lines are cut, and of many within a few
 * seconds only the first are logged.
 */
import type { McpLog } from './log.ts'

const MAX_LINE_CHARACTERS = 1000
const MAX_LINES = 100
const WINDOW_MS = 10_000

export class StderrLog {
  readonly #server: string
  readonly #log: McpLog
  readonly #decoder = new TextDecoder()
  /** The line that is not over yet, as far as it is kept. */
  #line = ''
  #windowEndsMs = 0
  #lines = 0
  #leftOut = 0

  constructor(server: string, log: McpLog) {
    this.#server = server
    this.#log = log
  }

  append(chunk: Buffer): void {
    const [first = '', ...others] = this.#decoder.decode(chunk, { stream: true }).split('\n')
    this.#extend(first)
    for (const next of others) {
      this.#endLine()
      this.#extend(next)
    }
  }

  /** Nothing more comes. */
  end(): void {
    this.#endLine()
    this.#tellLeftOut()
  }

  #extend(text: string): void {
    if (this.#line.length <= MAX_LINE_CHARACTERS)
      this.#line += text.slice(0, MAX_LINE_CHARACTERS + 1 - this.#line.length)
  }

  #endLine(): void {
    const line = this.#line.trimEnd()
    this.#line = ''
    if (line === '') return
    const nowMs = performance.now()
    if (nowMs >= this.#windowEndsMs) {
      this.#tellLeftOut()
      this.#windowEndsMs = nowMs + WINDOW_MS
      this.#lines = 0
    }
    if (++this.#lines > MAX_LINES) {
      this.#leftOut++
      return
    }
    const isCut = line.length > MAX_LINE_CHARACTERS
    const stderr = isCut ? `${line.slice(0, MAX_LINE_CHARACTERS)}…` : line
    this.#log('info', { mcp_server: this.#server, stderr }, 'an MCP server says')
  }

  #tellLeftOut(): void {
    if (this.#leftOut === 0) return
    const fields = { mcp_server: this.#server, lines: this.#leftOut }
    this.#leftOut = 0
    this.#log('warn', fields, 'an MCP server said more than is logged')
  }
}
