/**
 * The main thread's side of the one thread that holds the connections to MCP servers (`workers/mcp/thread.ts`).
 *
 * ```
 * start() ─► thread ─► its end that nobody asked for ─► a second ─► another thread
 * openPort() ─► a tool thread's way to it; the port closes with the thread, and the tool thread asks for another
 * ```
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { JsonObject } from '../domain/json.ts'
import { ENDING, threadEntry } from '../thread-entry.ts'
import type { FromMcpHost, McpHostStart, ToMcpHost } from './messages.ts'

export interface McpHostOptions extends McpHostStart {
  readonly log: Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>
}

const RESTART_AFTER_MS = 1000
/** The thread answers earlier; this is for one that is stuck. */
const LIST_WITHIN_MS = 5000
/** Servers have some seconds to end by themselves. */
const STOP_WITHIN_MS = 15_000

export class McpHost {
  readonly #options: McpHostOptions
  #worker: Worker | null = null
  #restart: NodeJS.Timeout | null = null
  #isStopping = false
  readonly #lists = new Map<number, (tools: readonly JsonObject[]) => void>()
  #lastId = 0

  constructor(options: McpHostOptions) {
    this.#options = options
  }

  /** Has the servers started, without waiting for them. Does nothing where the thread is there. */
  start(): void {
    this.#thread()
  }

  /** A port on which a tool thread can call. */
  openPort(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#post({ type: 'connect', port: port1 }, [port1])
    return port2
  }

  /** What the servers offer, those that are there by now. */
  tools(): Promise<readonly JsonObject[]> {
    if (this.#isStopping) return Promise.resolve([])
    const id = ++this.#lastId
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer([]), LIST_WITHIN_MS)
      const answer = (tools: readonly JsonObject[]): void => {
        clearTimeout(timer)
        this.#lists.delete(id)
        resolve(tools)
      }
      this.#lists.set(id, answer)
      this.#post({ type: 'list', id })
    })
  }

  /** Ends the servers and the thread. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopping = true
    if (this.#restart !== null) clearTimeout(this.#restart)
    const worker = this.#worker
    if (worker === null) return
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    this.#post({ type: 'stop' })
    const timer = setTimeout(() => void worker.terminate(), STOP_WITHIN_MS)
    await ended
    clearTimeout(timer)
  }

  #post(message: ToMcpHost, transfer: readonly MessagePort[] = []): void {
    const thread = this.#thread()
    if (thread !== null) thread.postMessage(message, transfer)
    // Whoever holds the other end is told so.
    else for (const port of transfer) port.close()
  }

  /** Null in the end only. */
  #thread(): Worker | null {
    if (this.#worker !== null || this.#isStopping) return this.#worker
    const { servers, outputLimitBytes, version, memoryMb, log } = this.#options
    const workerData: McpHostStart = { servers, outputLimitBytes, memoryMb, version }
    const worker = new Worker(threadEntry(new URL(`../../workers/mcp/thread.${ENDING}`, import.meta.url)), {
      eval: true,
      workerData,
      // The packages print there what belongs into no log of ours.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    })
    worker.stdout.resume()
    worker.stderr.resume()
    worker.on('message', (message: FromMcpHost) => this.#onMessage(message))
    worker.on('error', (err) => log.error({ err }, 'the thread of the MCP servers failed'))
    worker.once('exit', () => this.#onExit())
    this.#worker = worker
    return worker
  }

  #onMessage(message: FromMcpHost): void {
    switch (message.type) {
      case 'tools':
        this.#lists.get(message.id)?.(message.tools)
        return
      case 'log':
        this.#options.log[message.level](message.fields, message.message)
        return
    }
  }

  #onExit(): void {
    this.#worker = null
    for (const answer of this.#lists.values()) answer([])
    if (this.#isStopping) return
    this.#options.log.error({}, 'the thread of the MCP servers ended; another takes its place')
    this.#restart = setTimeout(() => this.#thread(), RESTART_AFTER_MS)
  }
}
