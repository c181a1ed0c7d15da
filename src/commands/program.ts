/** The commands of `execgo`, one file each. Without a command, `execgo` is the daemon: see ../cli.ts. */
import { Command, CommanderError } from 'commander'
import { VERSION } from '../version.ts'
import { healthCommand } from './health.ts'
import { CommandError, type Terminal } from './terminal.ts'
import { tokenCommand } from './token.ts'
import { validateCommand } from './validate/validate.ts'

const programOf = (terminal: Terminal): Command => {
  const program = new Command('execgo')
    .description('Runs graphs of tasks. Without a command, execgo is the daemon: see execgo -help.')
    .version(`v${VERSION}`)
    .configureHelp({ showGlobalOptions: true })
  for (const command of [healthCommand(terminal), tokenCommand(terminal), validateCommand(terminal)])
    program.addCommand(command)
  for (const each of everyCommand(program)) {
    each.exitOverride().showHelpAfterError(`(${pathOf(each)} --help says more)`)
    each.configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'execgo: ')),
    })
  }
  return program
}

const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)]

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`

/** Runs one command line. Resolves to the exit code: 0, 1 (it failed) or 2 (refused, or a wrong command line). */
export const runCommand = async (words: readonly string[], terminal: Terminal): Promise<0 | 1 | 2> => {
  try {
    await programOf(terminal).parseAsync(words, { from: 'user' })
    return 0
  } catch (error) {
    // Its text has been written already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const message = error instanceof Error ? error.message : String(error)
    if (message !== '') terminal.stderr.write(`execgo: ${message}\n`)
    return error instanceof CommandError ? error.exitCode : 1
  }
}
