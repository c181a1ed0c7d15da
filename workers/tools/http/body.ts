/**
 * Reads the beginning of an answer's body.
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { withoutPartialEnd } from '../../process/bounded-output.ts'
import { asSystemError, errnoText } from '../../reasons.ts'

export type Body =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string }

const hasBody = (answer: IncomingMessage, method: string): boolean =>
  method !== 'HEAD' && answer.statusCode !== 204 && answer.statusCode !== 304 && answer.statusCode !== 101

/** The body's bytes as they were before the server packed them. Its error is whatever went wrong on the way. */
const unpacked = (answer: IncomingMessage): Readable =>
  // The pipeline hands an error on to its end, where it is read.
  pipeline(answer, createGunzip(), () => {})

const failureReason = (error: unknown, signal: AbortSignal): string => {
  if (signal.aborted) return String(signal.reason)
  const { code } = asSystemError(error)
  const isCutOff = code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'Z_BUF_ERROR'
  return isCutOff ? 'unexpected EOF' : errnoText(error)
}

/**
 * At most `limitBytes` of the body as text. What goes beyond is let go with the connection.
 * @param isUnpacking whether a gzip body is ours to unpack: not where the task itself asked for it.
 */
export const readBody = async (
  answer: IncomingMessage,
  request: ClientRequest,
  limitBytes: number,
  isUnpacking: boolean,
  signal: AbortSignal,
): Promise<Body> => {
  const chunks: Buffer[] = []
  let received = 0
  try {
    if (hasBody(answer, request.method)) {
      const isPacked = isUnpacking && answer.headers['content-encoding']?.toLowerCase() === 'gzip'
      for await (const chunk of (isPacked ? unpacked(answer) : answer) as AsyncIterable<Buffer>) {
        chunks.push(chunk)
        received += chunk.length
        if (received >= limitBytes) break
      }
    }
  } catch (error) {
    return { ok: false, reason: failureReason(error, signal) }
  } finally {
    request.destroy()
  }
  const bytes = Buffer.concat(chunks)
  const kept = received > limitBytes ? withoutPartialEnd(bytes.subarray(0, limitBytes)) : bytes
  return { ok: true, text: kept.toString('utf8') }
}
