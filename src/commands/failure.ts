/** What went wrong, and what to do about it. */
import {
  ConnectionError,
  DeniedError,
  NotFoundError,
  OverloadedError,
  RefusedError,
  UnavailableError,
} from '../client/index.ts'
import { urlOf } from './connection.ts'
import { CommandError, type Terminal } from './terminal.ts'

/** 1 for what failed, 2 for what was refused: trying the same again is of no use then. */
export interface Failure {
  readonly exitCode: 1 | 2
  /** `''` where everything was said already. */
  readonly message: string
}

export const failureOf = (error: unknown, { env }: Terminal): Failure => {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof CommandError) return { exitCode: error.exitCode, message }
  if (error instanceof ConnectionError) {
    const at = env['EXECGO_URL'] ? 'EXECGO_URL says so' : 'EXECGO_URL says where it is otherwise'
    return { exitCode: 1, message: `no answer: ${message}\n  ${connectionHint(message, at)}` }
  }
  if (!(error instanceof RefusedError)) return { exitCode: 1, message }
  const hint = refusalHint(error, env)
  return {
    exitCode: error instanceof NotFoundError || error.status >= 500 ? 1 : 2,
    message: `${message}${hint === '' ? '' : `\n  ${hint}`}`,
  }
}

const connectionHint = (message: string, at: string): string => {
  if (/self[- ]signed|unable to (verify|get)|certificate/i.test(message))
    return 'Its certificate is not trusted here: name the one to trust in NODE_EXTRA_CA_CERTS.'
  return `Is the daemon running? Start it with \`execgo\`; ${at}.`
}

const refusalHint = (error: RefusedError, env: Terminal['env']): string => {
  if (error instanceof OverloadedError)
    return `It is busy: try again ${error.retryAfterMs ? `in ${Math.ceil(error.retryAfterMs / 1000)} s` : 'later'}.`
  if (error instanceof UnavailableError) return 'It is stopping, or cannot write: its log says which.'
  if (error.status === 401)
    return env['EXECGO_TOKEN']
      ? `${urlOf(env)} does not know the token in EXECGO_TOKEN.`
      : 'Set EXECGO_TOKEN to a token of this daemon; `execgo token new` makes one.'
  if (error instanceof DeniedError && error.message.includes('lacks the scope'))
    return 'Set EXECGO_TOKEN to one that has it; `execgo token new --scope …` makes one.'
  if (error.status === 413) return 'The daemon takes as much as its EXECGO_MAX_BODY_BYTES says.'
  return ''
}
