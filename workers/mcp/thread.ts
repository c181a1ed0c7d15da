/** The thread that holds the connections to MCP servers: all that this daemon has, for all of its tool threads. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { FromMcpHost, McpHostStart, ToMcpHost } from '../../src/mcp/messages.ts'
import { ServerGuard } from './guard.ts'
import type { McpLog } from './log.ts'
import type { FromHost, ToHost } from './messages.ts'
import { McpServers } from './servers.ts'

const start = workerData as McpHostStart
const main = parentPort!

const post = (message: FromMcpHost): void => main.postMessage(message)

const log: McpLog = (level, fields, message) => post({ type: 'log', level, fields, message })

const guard = new ServerGuard(log)
const servers = new McpServers(start, { log, guard })

/** Serves one tool thread until it is gone: what it called is then cancelled. */
const serve = (port: MessagePort): void => {
  const calls = new Map<number, AbortController>()
  const answer = (message: FromHost): void => port.postMessage(message)
  port.on('message', (message: ToHost) => {
    if (message.type === 'cancel') {
      calls.get(message.id)?.abort(message.reason)
      return
    }
    const { id, toolName, input, traceparent } = message
    const controller = new AbortController()
    calls.set(id, controller)
    const onProgress = (text: string): void => answer({ type: 'progress', id, message: text })
    void servers
      .call(toolName, input, { signal: controller.signal, onProgress, traceparent })
      .then((result) => {
        calls.delete(id)
        if (!controller.signal.aborted) answer({ type: 'result', id, result })
      })
  })
  port.once('close', () => {
    for (const controller of calls.values()) controller.abort('the worker thread ended')
  })
}

main.on('message', (message: ToMcpHost) => {
  switch (message.type) {
    case 'connect':
      serve(message.port)
      return
    case 'list':
      void servers.list().then((tools) => post({ type: 'tools', id: message.id, tools }))
      return
    case 'stop':
      void servers.stop().finally(() => {
        guard.close()
        process.exit(0)
      })
      return
  }
})

// What one connection leaves behind in a callback must not end the others.
process.on('uncaughtException', (error) =>
  log('error', { reason: String(error.stack ?? error) }, 'uncaught exception'),
)
process.on('unhandledRejection', (error) => log('error', { reason: String(error) }, 'unhandled rejection'))

servers.start()
