/** A request's body as text, never more of it than the limit. */
import type { IncomingMessage } from 'node:http'
import { type Result, ok, refused } from '../../domain/errors.ts'
import { TOO_SLOW } from './patience.ts'

/** Reads it to its end; a body over the limit is refused as soon as that is known. */
export const readBody = (incoming: IncomingMessage, limitBytes: number): Promise<Result<string>> => {
  if (Number(incoming.headers['content-length'] ?? 0) > limitBytes)
    return Promise.resolve(tooLarge(limitBytes))
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    // Not `once`: it wraps each listener, and they go with the request.
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limitBytes) chunks.push(chunk)
      else {
        chunks.length = 0
        resolve(tooLarge(limitBytes))
      }
    })
    incoming.on('end', () => {
      if (size <= limitBytes) resolve(ok(textOf(chunks)))
    })
    const breakOff = (reason: string): void =>
      resolve(refused('invalid', `invalid JSON: the body broke off: ${reason}`))
    incoming.on('error', (error) => breakOff(error.message))
    // HTTP/2 ends a body that was reset as if it were complete.
    incoming.on('aborted', () => breakOff('aborted'))
    incoming.on(TOO_SLOW, () => resolve(refused('too_slow', 'the request came too slowly')))
  })
}

const tooLarge = (limitBytes: number): Result<string> =>
  refused('too_large', `request body is larger than ${limitBytes} bytes: send the tasks in several graphs`)

const textOf = (chunks: readonly Buffer[]): string =>
  chunks.length === 1 ? chunks[0]!.toString('utf8') : Buffer.concat(chunks).toString('utf8')
