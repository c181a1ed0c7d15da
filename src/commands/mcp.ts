/**
 * `execgo mcp`: the MCP server over stdio, for hosts that start a command of their own. It keeps nothing: each call goes
 * to the daemon at EXECGO_URL, which need not be there yet when this starts.
 */
import { Command } from 'commander'
import type { Backend } from '../api/mcp/backend.ts'
import { DEFAULT_LIMITS } from '../domain/limits.ts'
import { VERSION } from '../version.ts'
import { clientOf } from './connection.ts'
import { ClientBackend } from './mcp-backend.ts'
import type { Terminal } from './terminal.ts'

/** The one place that says what the tools work on: a kernel in this process could take the daemon's place here. */
const openBackend = (terminal: Terminal): Backend => {
  const client = clientOf(terminal)
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
  new Command('mcp')
    .description(
      'Serves the daemon at EXECGO_URL to a language model, as an MCP server over stdin and stdout. EXECGO_TOKEN is its token.',
    )
    .addHelpText(
      'after',
      '\nExample, in the configuration of an MCP host:\n  {"mcpServers": {"execgo": {"command": "npx", "args": ["execgo", "mcp"]}}}\n\nThe daemon itself is one too, at /mcp.',
    )
    .action(() => serve(terminal))
