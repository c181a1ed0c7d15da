/** What went wrong with a server, in one line. */
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client'
import { asSystemError, errnoText } from '../reasons.ts'

const MAX_CHARACTERS = 2000

/** Down to the error that says the most: `fetch failed` has its cause below it. */
const rootOf = (error: unknown): unknown => {
  let root = error
  while (root instanceof Error && root.cause instanceof Error) root = root.cause
  return root
}

export const reasonOf = (error: unknown): string => {
  const root = rootOf(error)
  const { code } = asSystemError(root)
  const text =
    typeof code === 'string' && code.startsWith('E')
      ? errnoText(root)
      : root instanceof Error
        ? root.message
        : String(root)
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`
}

/** Whether the server says that the call itself is wrong: another attempt would be the same. */
export const asksInvalid = (error: unknown): boolean =>
  error instanceof ProtocolError && error.code === ProtocolErrorCode.InvalidParams
