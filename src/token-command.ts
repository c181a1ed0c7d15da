/** `execgo token new --scope read,submit --file auth.json [--name x]`: makes a token and prints it, once. @see contract B5 */
import { randomBytes } from 'node:crypto'
import { addToken } from './api/guard/add-token.ts'
import { SCOPES, type Scope } from './api/guard/scopes.ts'

interface Output {
  write(text: string): unknown
}

const USAGE = `Usage: execgo token new --scope ${SCOPES.join(',')} --file auth.json [--name x]

Adds a token to the file, which is made where there is none, and prints it. Only its hash is kept.
`

const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text)

/** `--name value` and `--name=value`, with one dash or two; null where something else is among them. */
const optionsIn = (words: readonly string[]): Map<string, string> | null => {
  const options = new Map<string, string>()
  for (let at = 0; at < words.length; at++) {
    const match = /^--?(scope|file|name)(?:=(.*))?$/s.exec(words[at]!)
    const value = match?.[2] ?? words[++at]
    if (match === null || value === undefined) return null
    options.set(match[1]!, value)
  }
  return options
}

/** The exit code: 0, 1 where the file cannot be used, 2 for a wrong command line. */
export const tokenCommand = (words: readonly string[], stdout: Output, stderr: Output): number => {
  const refuse = (code: 1 | 2, reason: string): number => {
    stderr.write(`execgo: token new: ${reason}\n`)
    return code
  }
  if (words.some((word) => /^--?h(elp)?$/.test(word))) {
    stdout.write(USAGE)
    return 0
  }
  const options = words[0] === 'new' ? optionsIn(words.slice(1)) : null
  const file = options?.get('file') ?? ''
  const scopes = (options?.get('scope') ?? '').split(',').map((scope) => scope.trim())
  if (options === null || file === '' || !options.has('scope')) {
    stderr.write(USAGE)
    return 2
  }
  const wrong = scopes.find((scope) => !isScope(scope))
  if (wrong !== undefined)
    return refuse(2, `--scope: expected ${SCOPES.join(', ')}, got ${JSON.stringify(wrong)}`)
  const name = options.get('name') ?? `token-${new Date().toISOString()}-${randomBytes(2).toString('hex')}`
  if (name === '') return refuse(2, '--name: expected a text')
  try {
    stdout.write(`${addToken(file, name, scopes.filter(isScope))}\n`)
    return 0
  } catch (error) {
    return refuse(1, `cannot use ${file}: ${(error as Error).message}`)
  }
}
