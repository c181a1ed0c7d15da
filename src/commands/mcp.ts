/**
 * `execgo mcp`: the MCP server over stdio, for hosts that start a command of their own. It keeps nothing: each call goes
 * to the daemon at EXECGO_URL, which need not be there yet when this starts.
 */
import { Command } from 'commander'
import type { Backend } from '../api/mcp/backend.ts'
import { DEFAULT_LIMITS } from '../domain/limits.ts'
import { VERSION } from '../version.ts'
import { createClient } from '../client/index.ts'
import { urlOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { ClientBackend } from './mcp-backend.ts'
import type { Terminal } from './terminal.ts'

/** Beyond the first: a host waits for a minute, and an agent can call again. */
const RETRIES = 2

/** The one place that says what the tools work on: a kernel in this process could take the daemon's place here. */
const openBackend = (terminal: Terminal): Backend => {
  const token = terminal.env['EXECGO_TOKEN']
  const client = createClient({
    baseUrl: urlOf(terminal.env),
    retries: RETRIES,
    ...(token ? { token } : {}),
  })
  client.health({ signal: terminal.signal }).catch((error: unknown) => {
    if (!terminal.signal.aborted) say(terminal, `${messageOf(error)}; calls are refused until it answers`)
  })
  return new ClientBackend(client)
}

/** Hosts keep what a server writes to stderr in a log; stdout is the protocol's alone. */
const say = ({ stderr }: Terminal, message: string): void => void stderr.write(`execgo mcp: ${message}\n`)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const serve = async (terminal: Terminal): Promise<void> => {
  const { serverFactory } = await import('../api/mcp/server.ts')
  const { StdioServerTransport, serveStdio } = await import('@modelcontextprotocol/server/stdio')
  const factory = serverFactory({
    backend: openBackend(terminal),
    version: VERSION,
    caller: null,
    // A host that ends has not said that what it began should end.
    isGoneCancelled: () => false,
    onFault: (error) => say(terminal, messageOf(error)),
  })
  if (terminal.stdin.isTTY)
    say(terminal, 'this waits for MCP on stdin: it is for MCP hosts (--help says how)')
  const transport = new StdioServerTransport(terminal.stdin, terminal.stdout, {
    maxBufferSize: DEFAULT_LIMITS.bodyBytes,
  })
  const connection = serveStdio(factory, { transport, onerror: (error) => say(terminal, error.message) })
  const closed = new Promise<void>((resolve) => {
    const { onclose } = transport
    transport.onclose = () => {
      onclose?.()
      resolve()
    }
  })
  const end = (): void => void connection.close()
  terminal.signal.addEventListener('abort', end)
  if (terminal.signal.aborted) end()
  await closed
  terminal.signal.removeEventListener('abort', end)
}

export const mcpCommand = (terminal: Terminal): Command =>
  withExamples(
    new Command('mcp').description(
      'Serves the daemon to a language model, as an MCP server over stdin and stdout.',
    ),
    [['mcp', 'what an MCP host starts: its command is npx, its args are execgo and mcp']],
  ).action(() => serve(terminal))
