import { done, type Tool } from './tool.ts'

/** What `GET /mcp/tools` lists in any case. */
const PLACEHOLDER = 'mcp.execute'

/**
 * Calls a tool of an MCP server. Where no server is configured, every tool answers with what it was given.
 * @see contract A5
 */
export const mcp: Tool = {
  name: 'mcp',
  run(input, context) {
    if (context.mcp !== null && context.toolName !== PLACEHOLDER) return context.mcp.call(input, context)
    const hasInput = context.inputJson !== '' && context.inputJson !== 'null'
    return done({ echo: hasInput ? input : null, tool_name: context.toolName })
  },
}
