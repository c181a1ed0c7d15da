/** `execgo health`. */
import { Command } from 'commander'
import { clientOf, urlOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { fieldsOf } from './table.ts'
import type { Terminal } from './terminal.ts'

export const healthCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      new Command('health').description(
        'Says whether the daemon answers. Also its version, and for how long it has run.',
      ),
    ),
    [
      ['health', 'is it there?'],
      ['health > /dev/null && echo up', 'in a script'],
    ],
  ).action(async (options: OutputOptions) => {
    const output = new Output(terminal, options)
    const health = await clientOf(terminal).health({ signal: terminal.signal })
    const { status, version, uptime } = health
    await output.value(health, () =>
      fieldsOf(
        { daemon: urlOf(terminal.env), status: output.paint('green', status), version, uptime },
        output.paint,
        output.width,
      ),
    )
  })
