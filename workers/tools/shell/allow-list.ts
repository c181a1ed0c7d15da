/**
 * Which commands may run. @see contract A5, B5
 */
import { quote } from '../../../src/domain/quote.ts'

const ALLOWED: ReadonlySet<string> = new Set(
  'echo cat ls date whoami hostname uname pwd curl wget ping dig grep awk sed head tail wc sort uniq find dir where type'.split(
    ' ',
  ),
)

/** What follows the last slash or backslash. */
const baseName = (command: string): string =>
  command.slice(Math.max(command.lastIndexOf('/'), command.lastIndexOf('\\')) + 1)

/** Why this command is refused; null where it is on the list. Judged by its base name alone. */
export const offTheList = (command: string): string | null => {
  const name = baseName(command)
  return ALLOWED.has(name) ? null : `command ${quote(name)} is not in the allowed whitelist`
}
