/** What a command talks to. cli.ts hands in the process's own, tests start the real program. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream
  /** For what was asked for: a command's answer, and nothing else. */
  readonly stdout: NodeJS.WriteStream
  /** For everything else: progress, warnings, errors. */
  readonly stderr: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP; a second one ends the process. */
  readonly signal: AbortSignal
}

/**
 * How a command ends where it is not well: 1, what it was to do failed; 2, it was refused, or the command line is
 * wrong. The message goes to stderr; an empty one where everything has been said already.
 */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: 1 | 2

  constructor(exitCode: 1 | 2, message = '') {
    super(message)
    this.exitCode = exitCode
  }
}
