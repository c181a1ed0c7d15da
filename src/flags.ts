/** The words of a command line as flags: `-flag value`, `-flag=value`, with one dash or two. */

const BARE_FLAGS: ReadonlySet<string> = new Set(['help', 'h', 'version'])

/** A setting that cannot be used. The message is one line and names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * The last one of a name wins.
 * @param known names of the flags that take a value
 * @throws {ConfigError} for a flag that is not known, one without its value, and what is no flag
 */
export const readFlags = (argv: readonly string[], known: ReadonlySet<string>): Map<string, string> => {
  const flags = new Map<string, string>()
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    const match = /^--?([a-zA-Z][\w-]*)(?:=(.*))?$/s.exec(word)
    if (match === null)
      throw new ConfigError(
        `unexpected argument ${JSON.stringify(word)}: execgo takes flags only (see -help)`,
      )
    const name = match[1]!
    if (BARE_FLAGS.has(name)) {
      flags.set(name, '')
      continue
    }
    if (!known.has(name)) throw new ConfigError(`unknown flag -${name} (see -help)`)
    const value = match[2] ?? argv[++at]
    if (value === undefined) throw new ConfigError(`-${name}: expected a value after it`)
    flags.set(name, value)
  }
  return flags
}
