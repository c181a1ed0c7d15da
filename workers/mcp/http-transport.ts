/** A server behind an address, by streamable HTTP. */
import { type JSONRPCMessage, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { McpServerSpec } from '../../src/mcp/messages.ts'
import { type MessageLimits, MessageSize } from './message-size.ts'

/** What the server answers to a request whose stream of events ended without an answer. */
const LOST_CODE = -32_000

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1]

export class HttpTransport extends StreamableHTTPClientTransport {
  constructor({ url, headers }: Extract<McpServerSpec, { kind: 'http' }>, limits: MessageLimits) {
    super(new URL(url), {
      requestInit: { headers: { ...headers } },
      fetch: async (...asked) => bounded(await fetch(...asked), limits),
    })
  }

  /** Without this, a call whose connection is lost on the way would be waited for until its timeout. */
  override send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    if (!('method' in message && 'id' in message)) return super.send(message, options)
    const { id } = message
    const onRequestStreamEnd = (): void => {
      options?.onRequestStreamEnd?.()
      const error = { code: LOST_CODE, message: 'the connection ended before the answer' }
      this.onmessage?.({ jsonrpc: '2.0', id, error })
    }
    return super.send(message, { ...options, onRequestStreamEnd })
  }
}

/** Breaks an answer off that holds a larger message; a stream of events has one in each. */
const bounded = (answer: Response, limits: MessageLimits): Response => {
  if (answer.body === null) return answer
  const isStream = answer.headers.get('content-type')?.includes('text/event-stream') === true
  const size = new MessageSize(limits)
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      if (isStream) size.addEvents(chunk)
      else size.add(chunk)
      controller.enqueue(chunk)
    },
  })
  const { status, statusText, headers } = answer
  const copy = new Response(answer.body.pipeThrough(counting), { status, statusText, headers })
  // Where a redirect led to, which the client checks.
  Object.defineProperty(copy, 'url', { value: answer.url })
  Object.defineProperty(copy, 'redirected', { value: answer.redirected })
  return copy
}
