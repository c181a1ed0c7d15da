import { addAbortSignal } from 'node:stream'
import type { Terminal } from './terminal.ts'

/**
 * All of standard input, or no more than a part above so many bytes: it says so by being too large.
 * @throws once the signal says so, also where nothing comes
 */
export const readStdin = async (
  { stdin, signal }: Pick<Terminal, 'stdin' | 'signal'>,
  mostBytes = Number.POSITIVE_INFINITY,
): Promise<string> => {
  addAbortSignal(signal, stdin)
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of stdin) {
    parts.push(part as Buffer)
    bytes += (part as Buffer).length
    if (bytes > mostBytes) break
  }
  return Buffer.concat(parts).toString()
}
