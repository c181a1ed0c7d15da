/** The daemon's log, seen from the thread of the MCP servers. */
import type { JsonObject } from '../../src/domain/json.ts'

export type McpLog = (level: 'info' | 'warn' | 'error', fields: JsonObject, message: string) => void
