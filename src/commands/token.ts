/** `execgo token new`: makes a token and prints it, once. @see contract B5 */
import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { addToken } from '../api/guard/add-token.ts'
import { SCOPES, type Scope } from '../api/guard/scopes.ts'
import { CommandError, type Terminal } from './terminal.ts'

const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text)

const newCommand = ({ stdout }: Terminal): Command =>
  new Command('new')
    .description(
      'Adds a token to the file, which is made where there is none, and prints it. Only its hash is kept.',
    )
    .requiredOption('--scope <scopes>', `what it may do: some of ${SCOPES.join(',')}`)
    .requiredOption('--file <auth.json>', 'the file that EXECGO_AUTH_FILE names')
    .option('--name <name>', 'what the audit log calls it; made up without one')
    .addHelpText('after', '\nExample:\n  $ execgo token new --scope read,submit --file auth.json --name ci')
    .action(({ scope, file, name = madeUpName() }: { scope: string; file: string; name?: string }) => {
      const scopes = scope.split(',').map((each) => each.trim())
      const wrong = scopes.find((each) => !isScope(each))
      if (wrong !== undefined)
        throw new CommandError(
          2,
          `token new: --scope: expected ${SCOPES.join(', ')}, got ${JSON.stringify(wrong)}`,
        )
      if (file === '') throw new CommandError(2, 'token new: --file: expected a path')
      if (name === '') throw new CommandError(2, 'token new: --name: expected a text')
      stdout.write(`${tryToAdd(file, name, scopes.filter(isScope))}\n`)
    })

const madeUpName = (): string => `token-${new Date().toISOString()}-${randomBytes(2).toString('hex')}`

const tryToAdd = (file: string, name: string, scopes: readonly Scope[]): string => {
  try {
    return addToken(file, name, scopes)
  } catch (error) {
    throw new CommandError(1, `token new: cannot use ${file}: ${(error as Error).message}`)
  }
}

export const tokenCommand = (terminal: Terminal): Command =>
  new Command('token')
    .description('Tokens for a daemon that asks for them (EXECGO_AUTH_FILE).')
    .addCommand(newCommand(terminal))
