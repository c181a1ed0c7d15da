/**
 * A server that is a process: one JSON message a line on its standard input and output. It leads a process group of
 * its own, so that what it starts ends with it.
 *
 * ```
 * close() ─► its input ends ─► 2 s ─► SIGTERM to the whole tree ─► 3 s ─► SIGKILL
 * it ends by itself ─► what is left of its tree is ended the same way ─► onclose
 * it closes a pipe ─► a second to end by itself ─► as by close()
 * ```
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type JSONRPCMessage, serializeMessage, type Transport } from '@modelcontextprotocol/client'
import type { McpServerSpec } from '../../src/mcp/messages.ts'
import { type ProcessTree, terminateTree } from '../process/terminate.ts'
import { errnoText } from '../reasons.ts'
import { serverEnvironment } from './environment.ts'
import type { ServerGuard } from './guard.ts'
import { MessageLines } from './message-lines.ts'
import { messageOn } from './message-on.ts'
import type { MessageLimits } from './message-size.ts'

const ENDS_ITSELF_WITHIN_MS = 2000
const GRACE_MS = 3000
/** How long the outputs may stay open when nothing of the tree is alive: somebody else holds them then. */
const OUTPUT_ENDS_WITHIN_MS = 1000
/** A process that ends closes its pipes first: how it ends says more. */
const ENDS_AFTER_ITS_PIPES_WITHIN_MS = 1000

export interface StdioTransportOptions {
  readonly guard: ServerGuard
  readonly messageLimits: MessageLimits
  readonly onStderr: (chunk: Buffer) => void
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

export class StdioTransport implements Transport {
  readonly #spec: Extract<McpServerSpec, { kind: 'stdio' }>
  readonly #options: StdioTransportOptions
  readonly #lines: MessageLines
  /** Lines that were not delivered yet. */
  readonly #undelivered: string[] = []
  #isDelivering = false
  #child: Child | null = null
  #tree: ProcessTree | null = null
  /** Settles when nothing of it is alive, and all that it said was read. */
  #gone: Promise<void> = Promise.resolve()
  #closing: Promise<void> | null = null
  /** `exit status 1`, `signal SIGKILL`, or why it could not go on; `''` while it runs. */
  ending = ''
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void

  constructor(spec: Extract<McpServerSpec, { kind: 'stdio' }>, options: StdioTransportOptions) {
    this.#spec = spec
    this.#options = options
    this.#lines = new MessageLines(options.messageLimits)
  }

  // By these two the client knows that it talks to a process.
  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  get stderr(): Readable | null {
    return this.#child?.stderr ?? null
  }

  start(): Promise<void> {
    const { command, args, env, cwd } = this.#spec
    const { variables, marker } = serverEnvironment(env)
    const child = spawn(command, args, {
      env: variables,
      ...(cwd === '' ? {} : { cwd }),
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    // Where there are no descriptors left, it has no pipes either.
    const started = new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(new Error(`cannot start ${command}: ${errnoText(error)}`)))
    })
    if (child.stdin === undefined) return started
    const { pid } = child
    if (pid !== undefined) {
      // Told in the same turn: a daemon that is killed in between leaves the server its closed input.
      this.#options.guard.add(pid)
      this.#tree = {
        leader: pid,
        marker,
        hasExited: () => child.exitCode !== null || child.signalCode !== null,
      }
      this.#gone = this.#watch(child, pid, this.#tree)
    }
    this.#child = child
    child.stdin.on('error', () => this.#onPipeClosed('input'))
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    child.stdout.once('end', () => this.#onPipeClosed('output'))
    child.stderr.on('data', this.#options.onStderr)
    return started
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child
    if (child === null || this.ending !== '' || !child.stdin.writable) throw new Error('the server has ended')
    if (child.stdin.write(serializeMessage(message))) return
    await new Promise<void>((resolve) => {
      child.stdin.once('drain', resolve)
      child.stdin.once('close', resolve)
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    const child = this.#child
    if (child === null || this.#tree === null) return
    child.stdin.end()
    await Promise.race([this.#gone, delay(ENDS_ITSELF_WITHIN_MS, undefined, { ref: false })])
    if (!this.#tree.hasExited()) await terminateTree(this.#tree, () => GRACE_MS)
    await this.#gone
  }

  async #watch(child: Child, pid: number, tree: ProcessTree): Promise<void> {
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.once('exit', (...how) => resolve(how)),
    )
    this.ending ||= signal === null ? `exit status ${code}` : `signal ${signal}`
    await terminateTree(tree, () => GRACE_MS)
    this.#options.guard.remove(pid)
    await Promise.race([closed, delay(OUTPUT_ENDS_WITHIN_MS, undefined, { ref: false })])
    child.stdout.destroy()
    child.stderr.destroy()
    this.#lines.clear()
    this.onclose?.()
  }

  #read(chunk: Buffer): void {
    try {
      this.#undelivered.push(...this.#lines.append(chunk))
    } catch (error) {
      this.#giveUp(error as Error)
      return
    }
    if (!this.#isDelivering) void this.#deliver()
  }

  async #deliver(): Promise<void> {
    this.#isDelivering = true
    for (let line = this.#undelivered.shift(); line !== undefined; line = this.#undelivered.shift()) {
      try {
        const message = messageOn(line)
        this.onmessage?.(message)
        // The client looks at a notification a moment later: an answer right behind it would make it one of nobody.
        if (!('id' in message)) await null
      } catch (error) {
        // A line that is no message; those after it may be.
        this.onerror?.(error as Error)
      }
    }
    this.#isDelivering = false
  }

  /** Nothing more comes of it, or to it, although it may run on: calls would wait for ever. */
  #onPipeClosed(pipe: 'input' | 'output'): void {
    setTimeout(() => {
      if (this.ending === '') this.#giveUp(new Error(`it closed its standard ${pipe}`))
    }, ENDS_AFTER_ITS_PIPES_WITHIN_MS)
  }

  /** It said more in one message than we take, or can say or hear nothing. */
  #giveUp(error: Error): void {
    this.ending ||= error.message
    this.onerror?.(error)
    this.#child?.stdout.removeAllListeners('data').resume()
    void this.close()
  }
}
