/** The commands of `execgo`, one file each. Without a command, `execgo` is the daemon: see ../cli.ts. */
import { Command, CommanderError } from 'commander'
import { VERSION } from '../version.ts'
import { cancelCommand } from './cancel.ts'
import { failureOf } from './failure.ts'
import { getCommand } from './get.ts'
import { healthCommand } from './health.ts'
import { listCommand } from './list.ts'
import { submitCommand } from './submit.ts'
import type { Terminal } from './terminal.ts'
import { tokenCommand } from './token.ts'
import { validateCommand } from './validate/validate.ts'
import { waitCommand } from './wait.ts'

/** In the order in which help lists them. */
const COMMANDS: readonly ((terminal: Terminal) => Command)[] = [
  submitCommand,
  getCommand,
  listCommand,
  waitCommand,
  cancelCommand,
  healthCommand,
  tokenCommand,
  validateCommand,
]

const programOf = (terminal: Terminal): Command => {
  const program = new Command('execgo')
    .description('Runs graphs of tasks. Without a command, execgo is the daemon: see execgo -help.')
    .version(`v${VERSION}`)
    .configureHelp({ showGlobalOptions: true })
  for (const commandOf of COMMANDS) program.addCommand(commandOf(terminal))
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

/** By convention of shells: 128 and the number of SIGINT. */
const INTERRUPTED = 130

/** Runs one command line. Resolves to the exit code: 0, 1 (it failed), 2 (refused, or a wrong command line) or 130. */
export const runCommand = async (words: readonly string[], terminal: Terminal): Promise<number> => {
  try {
    await programOf(terminal).parseAsync(words, { from: 'user' })
    return 0
  } catch (error) {
    if (terminal.signal.aborted) return INTERRUPTED
    // Its text has been written already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const { exitCode, message } = failureOf(error, terminal)
    if (message !== '') terminal.stderr.write(`execgo: ${message}\n`)
    return exitCode
  }
}
