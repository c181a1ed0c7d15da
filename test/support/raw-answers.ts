/** Answers to what tests do not ask with fetch, held against the document of the API. */
import { once } from 'node:events'
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { ClientHttp2Stream } from 'node:http2'
import { text as textOf } from 'node:stream/consumers'
import { type Came, expectAnswer } from './api-document.ts'

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** The whole answer. Throws where it is not as documented. */
export const answerTo = async (asked: ClientRequest): Promise<RawAnswer> => {
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const text = await textOf(answer)
  const { statusCode: status = 0, headers } = answer
  expectAnswer(asked.method, asked.path, { status, type: headers['content-type'] ?? '', text })
  return { status, headers, text }
}

/** Throws where an answer that has no end does not begin as documented. */
export const expectBegun = (
  { method, path }: ClientRequest,
  { statusCode, headers }: IncomingMessage,
): void =>
  expectAnswer(method, path, { status: statusCode!, type: headers['content-type'] ?? '', text: null })

/**
 * The status of an answer over HTTP/2; the rest is read by others.
 * @see expectBegun
 */
export const statusOn = async (stream: ClientHttp2Stream): Promise<number> => {
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  expectOn(stream, headers, null)
  return headers[':status']
}

/** The whole answer over HTTP/2. Throws where it is not as documented. */
export const answerOn = async (stream: ClientHttp2Stream): Promise<RawAnswer> => {
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  // Not by its iterator, which destroys the stream at the end: that may be for the server to do.
  let text = ''
  stream.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  await once(stream, 'end')
  expectOn(stream, headers, text)
  return { status: headers[':status'], headers, text }
}

const expectOn = (
  { sentHeaders }: ClientHttp2Stream,
  headers: IncomingHttpHeaders & { ':status': number },
  text: string | null,
): void =>
  expectAnswer(String(sentHeaders[':method'] ?? 'GET'), String(sentHeaders[':path']), {
    status: headers[':status'],
    type: headers['content-type'] ?? '',
    text,
  })

/** The answers in what came, one after the other; the last one need not be whole. */
const answersIn = (raw: string): Came[] => {
  const answers: Came[] = []
  for (let rest = Buffer.from(raw); rest.length > 0; ) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) throw new Error(`no head of an answer: ${rest.toString('utf8', 0, 200)}`)
    const [line = '', ...lines] = rest.toString('latin1', 0, end).split('\r\n')
    const headers = new Map(
      lines.map((each) => [each.replace(/:.*/, '').toLowerCase(), each.replace(/.*?: */, '')]),
    )
    const body = rest.subarray(end + 4)
    const isChunked = headers.get('transfer-encoding') === 'chunked'
    const [text, length] = isChunked
      ? chunksOf(body)
      : wholeOf(body, Number(headers.get('content-length') ?? 0))
    answers.push({ status: Number(line.split(' ')[1]), type: headers.get('content-type') ?? '', text })
    rest = body.subarray(length)
  }
  return answers
}

/** The text, `null` where it is not all there, and how many bytes it takes. */
type Taken = readonly [text: string | null, length: number]

const wholeOf = (body: Buffer, length: number): Taken =>
  body.length < length ? [null, body.length] : [body.toString('utf8', 0, length), length]

const chunksOf = (body: Buffer): Taken => {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at)
    const length = Number.parseInt(body.toString('latin1', at, lineEnd), 16)
    const begin = lineEnd + 2
    if (lineEnd < 0 || begin + length + 2 > body.length) return [null, body.length]
    at = begin + length + 2
    if (length === 0) return [Buffer.concat(chunks).toString('utf8'), at]
    chunks.push(body.subarray(begin, begin + length))
  }
}

/**
 * Throws where one of the answers to this request, sent once or more, is not as documented.
 * @param method,url `''` where what was sent is no request
 * @param raw all that came, as UTF-8
 */
export const expectRaw = (method: string, url: string, raw: string): void => {
  for (const answer of answersIn(raw)) expectAnswer(method, url, answer)
}
