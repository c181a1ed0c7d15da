/** The commands of `execgo`, one file each. Without a command, `execgo` is the daemon: see ../cli.ts. */
import { type Argument, Command, CommanderError } from 'commander'
import { VERSION } from '../version.ts'
import { benchCommand } from './bench.ts'
import { cancelCommand } from './cancel.ts'
import { completionCommand } from './completion.ts'
import { DEFAULT_URL } from './connection.ts'
import { deleteCommand } from './delete.ts'
import { eventsCommand } from './events.ts'
import { failureOf } from './failure.ts'
import { getCommand } from './get.ts'
import { graphCommand } from './graph.ts'
import { healthCommand } from './health.ts'
import { helpCommand } from './help.ts'
import { listCommand } from './list.ts'
import { mcpCommand } from './mcp.ts'
import { openapiCommand } from './openapi.ts'
import { retryCommand } from './retry.ts'
import { runGraphCommand } from './run/run.ts'
import { submitCommand } from './submit.ts'
import { harmless } from './table.ts'
import type { Terminal } from './terminal.ts'
import { tokenCommand } from './token.ts'
import { validateCommand } from './validate/validate.ts'
import { waitCommand } from './wait.ts'
import { whyCommand } from './why.ts'

/** In the order in which help lists them. */
const GROUPS: Readonly<Record<string, readonly ((terminal: Terminal) => Command)[]>> = {
  'Without a daemon:': [runGraphCommand, validateCommand],
  'Tasks of a daemon (EXECGO_URL, EXECGO_TOKEN):': [
    submitCommand,
    waitCommand,
    getCommand,
    whyCommand,
    listCommand,
    graphCommand,
    eventsCommand,
    cancelCommand,
    retryCommand,
    deleteCommand,
  ],
  'The daemon itself:': [healthCommand, benchCommand, openapiCommand, mcpCommand, tokenCommand],
  'More:': [completionCommand, helpCommand],
}

const WITHOUT_DAEMON = new Set(['run', 'validate', 'token', 'completion', 'help'])
const ENVIRONMENT = `
Environment:
  EXECGO_URL    the daemon, ${DEFAULT_URL} by default
  EXECGO_TOKEN  a token, where the daemon asks for one`

const programOf = (terminal: Terminal): Command => {
  const program = new Command('execgo')
    .description('Runs graphs of tasks. Without a command, execgo is the daemon: see execgo -help.')
    .version(`v${VERSION}`, '-V, --version', 'prints the version')
  for (const [group, commands] of Object.entries(GROUPS))
    for (const commandOf of commands) {
      const command = commandOf(terminal).helpGroup(group)
      if (!WITHOUT_DAEMON.has(command.name())) command.addHelpText('after', ENVIRONMENT)
      program.addCommand(command)
    }
  for (const each of everyCommand(program)) {
    // `execgo --help` is the daemon's.
    const help = each === program ? 'execgo help' : `${pathOf(each)} --help`
    each.exitOverride().showHelpAfterError(`(${help} says more)`)
    each.helpOption('-h, --help', 'prints this help').helpCommand(false)
    // Commander wraps nothing on a terminal that leaves descriptions less than 40 columns.
    each.configureHelp({ subcommandTerm, minWidthToWrap: 20 })
    // In the list of commands one sentence is enough.
    each.summary(/^.*?[.:;](?=\s|$)/.exec(each.description())?.[0].slice(0, -1) ?? each.description())
    each.configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'execgo: ')),
    })
  }
  return program
}

/** That it has options goes without saying. */
const subcommandTerm = (command: Command): string =>
  [[command.name(), ...command.aliases()].join('|'), ...command.registeredArguments.map(argumentText)].join(
    ' ',
  )

const argumentText = (argument: Argument): string => {
  const name = argument.name() + (argument.variadic ? '...' : '')
  return argument.required ? `<${name}>` : `[${name}]`
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
    if (message !== '') terminal.stderr.write(`execgo: ${harmless(message)}\n`)
    return exitCode
  }
}
