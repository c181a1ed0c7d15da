// An MCP server of one tool, for docs/en/mcp.md: examples/mcp.json names it.
import { Server } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'

const add = {
  name: 'add',
  description: 'Adds two numbers',
  inputSchema: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
  },
}

serveStdio(() => {
  const server = new Server({ name: 'calculator', version: '1.0.0' }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', () => ({ tools: [add] }))
  server.setRequestHandler('tools/call', ({ params }) => {
    const { a, b } = params.arguments ?? {}
    if (typeof a !== 'number' || typeof b !== 'number')
      return { content: [{ type: 'text', text: 'a and b must be numbers' }], isError: true }
    return { content: [{ type: 'text', text: `${a + b}` }], structuredContent: { sum: a + b } }
  })
  return server
})
