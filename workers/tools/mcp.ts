import { done, type Tool } from './tool.ts'

/**
 * Calls a tool of an MCP server. No server can be configured yet, and without one every tool answers with what it
 * was given. A client of real servers belongs here: it finds the server by `context.toolName`, and ends its call
 * when `context.signal` is aborted.
 * @see contract A5
 */
export const mcp: Tool = {
  name: 'mcp',
  run(input, context) {
    const hasInput = context.inputJson !== '' && context.inputJson !== 'null'
    return done({ echo: hasInput ? input : null, tool_name: context.toolName })
  },
}
