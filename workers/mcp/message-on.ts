/** The message on a line of a server's output. */
import { deserializeMessage, type JSONRPCMessage } from '@modelcontextprotocol/client'

/** What the server answers to a request that it answered with something else than JSON-RPC knows. */
const MALFORMED_CODE = -32_000

/**
 * An answer that is none by the protocol becomes an error: without one its call would be waited for until its timeout.
 * @throws where nobody waits for it
 */
export const messageOn = (line: string): JSONRPCMessage => {
  try {
    return deserializeMessage(line)
  } catch (error) {
    const id = answeredBy(JSON.parse(line))
    if (id === null) throw error
    return {
      jsonrpc: '2.0',
      id,
      error: { code: MALFORMED_CODE, message: "the server's answer is malformed" },
    }
  }
}

const answeredBy = (value: unknown): string | number | null => {
  if (typeof value !== 'object' || value === null || 'method' in value || !('id' in value)) return null
  const { id } = value
  return typeof id === 'string' || typeof id === 'number' ? id : null
}
