/**
 * A tool thread's calls of MCP servers. The port to the thread that holds the connections is asked for with the first
 * call, and again where that thread was lost.
 */
import type { MessagePort } from 'node:worker_threads'
import type { JsonObject } from '../../src/domain/json.ts'
import { fail, type ToolContext, type ToolResult } from '../tools/tool.ts'
import type { FromHost, ToHost } from './messages.ts'

interface Call {
  readonly onProgress: (message: string) => void
  readonly onResult: (result: ToolResult) => void
}

export class McpCalls {
  /** Has `receive` called with a port. */
  readonly #askForPort: () => void
  #port: MessagePort | null = null
  #isAsking = false
  /** What is sent once there is a port. */
  #unsent: ToHost[] = []
  readonly #calls = new Map<number, Call>()
  #lastId = 0

  constructor(askForPort: () => void) {
    this.#askForPort = askForPort
  }

  call(input: JsonObject, context: ToolContext): Promise<ToolResult> {
    const id = ++this.#lastId
    const { toolName, traceparent } = context
    return new Promise((resolve) => {
      this.#calls.set(id, {
        onProgress: (message) => context.progress(message),
        onResult: resolve,
      })
      this.#send({ type: 'call', id, toolName, input, traceparent })
      context.onAbort(() => {
        if (!this.#calls.delete(id)) return
        const reason = String(context.signal.reason)
        this.#send({ type: 'cancel', id, reason })
        resolve(fail(reason))
      })
    })
  }

  receive(port: MessagePort): void {
    this.#isAsking = false
    this.#port = port
    port.on('message', (message: FromHost) => this.#onMessage(message))
    port.once('close', () => this.#onClosed())
    for (const message of this.#unsent.splice(0)) port.postMessage(message)
  }

  close(): void {
    this.#port?.close()
  }

  #send(message: ToHost): void {
    if (this.#port !== null) {
      this.#port.postMessage(message)
      return
    }
    this.#unsent.push(message)
    if (this.#isAsking) return
    this.#isAsking = true
    this.#askForPort()
  }

  #onMessage(message: FromHost): void {
    const call = this.#calls.get(message.id)
    if (call === undefined) return // It was aborted meanwhile.
    if (message.type === 'progress') {
      call.onProgress(message.message)
      return
    }
    this.#calls.delete(message.id)
    call.onResult(message.result)
  }

  /** The other thread is gone, and with it whatever was under way there. */
  #onClosed(): void {
    this.#port = null
    const lost = [...this.#calls.values()]
    this.#calls.clear()
    for (const call of lost) call.onResult(fail('the thread of the MCP servers ended during the call'))
  }
}
