/**
 * `/mcp`: streamable HTTP, without sessions: each request is served by a server of its own, of either kind of revisions.
 * The body was read and parsed by the edge, under its limits, and the guards have let it through.
 */
import { createMcpHandler } from '@modelcontextprotocol/server'
import type { McpEndpoint } from '../mcp-request.ts'
import type { Service } from '../service.ts'
import { serverFactory } from './server.ts'
import { ServiceBackend } from './service-backend.ts'

/** Who closes the connection of a 2026-07-28 request has cancelled it; before, a connection that broke said nothing. */
const isGoneCancelled = (era: 'legacy' | 'modern'): boolean => era === 'modern'

export const createEndpoint = (service: Service): McpEndpoint => {
  const backend = new ServiceBackend(service)
  const version = service.health().version.slice(1)
  return async ({ headers, body, caller, gone, onFault }) => {
    // Made for this request, as what it may is the caller's: it holds nothing beyond it.
    const handler = createMcpHandler(serverFactory({ backend, version, caller, isGoneCancelled, onFault }), {
      maxSubscriptions: 0,
    })
    const request = new Request('http://execgo/mcp', { method: 'POST', headers, signal: gone })
    return handler.fetch(request, { parsedBody: body })
  }
}
