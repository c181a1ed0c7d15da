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

/** 1 for what failed and may be otherwise later; 2 for what is refused however often one tries. */
export interface Failure {
  readonly exitCode: 1 | 2
  /** `''` where everything was said already. */
  readonly message: string
}

export const failureOf = (error: unknown, { env }: Terminal): Failure => {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof CommandError) return { exitCode: error.exitCode, message }
  if (error instanceof ConnectionError) {
    return { exitCode: 1, message: `no answer: ${message.trimEnd()}\n  ${connectionHint(message)}` }
  }
  if (!(error instanceof RefusedError)) return { exitCode: 1, message }
  const hint = refusalHint(error, env)
  return {
    exitCode: mayBeOtherwiseLater(error) ? 1 : 2,
    message: `${message}${hint === '' ? '' : `\n  ${hint}`}`,
  }
}

const mayBeOtherwiseLater = (error: RefusedError): boolean =>
  error instanceof NotFoundError || error instanceof OverloadedError || error.status >= 500

const connectionHint = (message: string): string => {
  if (/wrong version number/i.test(message))
    return 'It does not speak HTTPS: does its URL begin with http://?'
  return /self[- ]signed|unable to (verify|get)|certificate/i.test(message)
    ? 'Its certificate is not trusted here: name the one to trust in NODE_EXTRA_CA_CERTS.'
    : 'Is the daemon running? `execgo` starts one; EXECGO_URL says where it is.'
}

const refusalHint = (error: RefusedError, env: Terminal['env']): string => {
  const graph = /^task not found: (g-\d+)$/.exec(error.message)?.[1]
  if (graph !== undefined) return `A graph is named by --graph ${graph}; execgo graph ${graph} shows one.`
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
