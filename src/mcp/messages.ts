/**
 * What crosses between the main thread and the one that holds the connections to MCP servers: plain data.
 *
 * ```
 * main ── connect port ──► host      a tool thread calls through this port from now on
 * main ── list id ───────► host ──► tools id [tool …]
 * main ◄── log ─────────── host
 * main ── stop ──────────► host      ends the servers; the thread ends after it
 * ```
 */
import type { MessagePort } from 'node:worker_threads'
import type { JsonObject } from '../domain/json.ts'

/** A server as the configuration names it; nothing in it is left to be expanded. */
export type McpServerSpec = {
  /** Without a slash. */
  readonly name: string
} & (
  | {
      readonly kind: 'stdio'
      readonly command: string
      readonly args: readonly string[]
      /** Beside what every server finds in its environment. */
      readonly env: Readonly<Record<string, string>>
      /** `''` for the daemon's own. */
      readonly cwd: string
    }
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> }
)

/** What the thread is started with. */
export interface McpHostStart {
  readonly servers: readonly McpServerSpec[]
  /** Most bytes of one result, as JSON. */
  readonly outputLimitBytes: number
  /** Most MiB of JavaScript heap of the thread. */
  readonly memoryMb: number
  /** Of this daemon, which the servers are told. */
  readonly version: string
}

export type ToMcpHost =
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'list'; readonly id: number }
  | { readonly type: 'stop' }

export type FromMcpHost =
  | { readonly type: 'tools'; readonly id: number; readonly tools: readonly JsonObject[] }
  | {
      readonly type: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly fields: JsonObject
      readonly message: string
    }
