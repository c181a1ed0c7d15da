import { Command } from 'commander'
import { clientOf } from './connection.ts'
import type { Terminal } from './terminal.ts'

export const healthCommand = (terminal: Terminal): Command =>
  new Command('health')
    .description('Says whether the daemon answers, its version and for how long it has run.')
    .action(async () => {
      const health = await clientOf(terminal).health({ signal: terminal.signal })
      terminal.stdout.write(`${JSON.stringify(health)}\n`)
    })
