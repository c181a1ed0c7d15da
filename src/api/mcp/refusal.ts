/** A refusal as a language model reads it: what is wrong, and what to do about it. */
import type { Problem, ProblemCode } from '../../domain/errors.ts'

const ADVICE: Readonly<Record<ProblemCode, string>> = {
  invalid: 'Correct the arguments and call again.',
  unauthenticated:
    'The daemon wants a bearer token: it is set where this MCP server is configured (the header Authorization, or EXECGO_TOKEN), not here.',
  forbidden: 'Another token would be needed. Tell the user; calling again does not help.',
  not_found: 'list_tasks shows what there is. Records may have been removed.',
  method_not_allowed: 'Tell the user: the daemon and this MCP server do not fit each other.',
  too_large: 'Submit the tasks in several graphs, or let a task read what is large from a file.',
  too_slow: 'Call again.',
  conflict: 'get_task or list_tasks show how things stand.',
  mismatch: 'Use another idempotency_key, or the graph that this one was first used with.',
  gone: 'Read the tasks as they are now.',
  overloaded: 'Wait some seconds and call again.',
  internal: 'This is a fault of execgo; its log says more. Calling again may help.',
  unavailable: 'Call again in a while. What was accepted before is not lost.',
}

/** The schemas' own words are for a body of JSON; here nobody has written any. */
export const refusalText = ({ code, message }: Problem): string =>
  `${message.replace(/^invalid JSON: /, 'wrong arguments: ')}\n${ADVICE[code]}`
