/**
 * The thread's entry: what Piscina calls, once per thread. @see ./session.ts
 */
import type { SessionStart } from '../src/pool/messages.ts'
import { Session } from './session.ts'
import { loadRegistry } from './tools/registry.ts'

/** Holds the session; resolves when it was closed, rejects where a tool module cannot be loaded. The port ends with it. */
export default async function run(start: SessionStart): Promise<void> {
  try {
    const tools = await loadRegistry(start.settings.toolModules)
    await new Session(start, tools).run()
  } finally {
    start.port.close()
  }
}
