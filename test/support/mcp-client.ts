/** The official MCP client on the daemon, over each wire and for each kind of revisions; and requests as text. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { root } from './daemon.ts'

/** By `initialize`, or by what each request says. */
export type Era = 'legacy' | 'modern'
export type Wire = 'http' | 'stdio'

export const REVISIONS = { legacy: '2025-11-25', modern: '2026-07-28' } as const

const clientOf = (era: Era): Client => {
  const mode = era === 'legacy' ? 'legacy' : { pin: REVISIONS.modern }
  return new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
}

export const overHttp = async (
  t: Pick<TestContext, 'after'>,
  url: string,
  era: Era,
  token = '',
): Promise<Client> => {
  const headers: Record<string, string> = token === '' ? {} : { Authorization: `Bearer ${token}` }
  const client = clientOf(era)
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }))
  t.after(() => client.close())
  return client
}

export const overStdio = async (
  t: Pick<TestContext, 'after'>,
  url: string,
  era: Era,
  token = '',
): Promise<{ client: Client; transport: StdioClientTransport }> => {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(root, 'dist/src/cli.js'), 'mcp'],
    env: { PATH: process.env['PATH'] ?? '', EXECGO_URL: url, EXECGO_TOKEN: token },
    stderr: 'pipe',
  })
  const client = clientOf(era)
  await client.connect(transport)
  t.after(() => client.close())
  return { client, transport }
}

export const connect = async (
  t: Pick<TestContext, 'after'>,
  wire: Wire,
  era: Era,
  url: string,
  token?: string,
): Promise<Client> =>
  wire === 'http' ? overHttp(t, url, era, token) : (await overStdio(t, url, era, token)).client

/** What a tool answered, or the text of its refusal. */
export const call = async (
  client: Client,
  name: string,
  input: Record<string, unknown>,
  options?: Parameters<Client['callTool']>[1],
): Promise<any> => {
  const { content, structuredContent, isError } = (await client.callTool(
    { name, arguments: input },
    options,
  )) as { content: any[]; structuredContent?: any; isError?: boolean }
  if (isError === true) return { refused: content[0].text }
  if (JSON.stringify(structuredContent) !== content[0].text) throw new Error('two answers in one')
  return structuredContent
}

/** A request's headers and body, as a client of that kind sends them. */
export const message = (
  era: Era,
  method: string,
  params: Record<string, unknown>,
): { headers: Record<string, string>; body: string } => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': REVISIONS.modern,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': REVISIONS[era],
    ...(era === 'legacy'
      ? {}
      : {
          'mcp-method': method,
          ...(typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {}),
        }),
  }
  const all = era === 'legacy' ? params : { ...params, _meta: { ...meta, ...(params['_meta'] as object) } }
  return { headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: all }) }
}

export const post = (url: string, given: ReturnType<typeof message>, more: Record<string, string> = {}) =>
  fetch(`${url}/mcp`, { method: 'POST', headers: { ...given.headers, ...more }, body: given.body })
