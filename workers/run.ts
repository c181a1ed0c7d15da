/**
 * The thread's entry: what Piscina calls, once per thread. @see ./session.ts
 */
import type { SessionStart } from '../src/pool/messages.ts'
import { chooseStarter } from './process/choose-starter.ts'
import { HoldingsTable } from './process/holdings.ts'
import { TimedStarter } from './process/timed-starter.ts'
import { Session } from './session.ts'
import { loadRegistry } from './tools/registry.ts'

/**
 * Holds the session; resolves when it was closed, rejects where a tool module cannot be loaded or commands cannot be
 * started as was asked for. The port ends with it.
 */
export default async function run(start: SessionStart): Promise<void> {
  // stdout is the process's: the daemon's log, a command's answer. What a tool prints is beside that.
  process.stdout.write = process.stderr.write.bind(process.stderr)
  try {
    const tools = await loadRegistry(start.settings.toolModules)
    const { starter, reason } = await chooseStarter(start.settings.spawn, new HoldingsTable(start.holdings))
    const timed = new TimedStarter(starter, start.startTimes)
    await new Session(start, tools, { starter: timed, reason }).run()
  } finally {
    start.port.close()
  }
}
