import { validateHeaderName, validateHeaderValue } from 'node:http'
import { quote } from '../../../src/domain/quote.ts'
import { InputFields } from '../input.ts'
import { deny, done, failDuring, refuse, type Tool, type ToolContext, type ToolResult } from '../tool.ts'
import { readBody } from './body.ts'
import { exchange, type WebRequest } from './exchange.ts'
import { locationOf, MAX_REDIRECTS, redirected } from './redirect.ts'
import { parseUrl, shownUrl } from './url.ts'

/** Ours to set: they follow from the address and the body. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding'])

const isToken = (text: string): boolean => /^[\w!#$%&'*+.^`|~-]+$/.test(text)

/** `GET` as the messages name it: `Get`. */
const operation = (method: string): string => method.charAt(0).toUpperCase() + method.slice(1).toLowerCase()

const headerProblem = (name: string, value: string): string | null => {
  try {
    validateHeaderName(name)
  } catch {
    return `net/http: invalid header field name ${quote(name)}`
  }
  try {
    validateHeaderValue(name, value)
  } catch {
    return `net/http: invalid header field value for ${quote(name)}`
  }
  return null
}

const headersFor = (
  given: readonly [string, string][],
  method: string,
  body: Buffer | null,
  traceparent: string,
): Map<string, string> => {
  const headers = new Map([
    ['user-agent', 'execgo'],
    ['accept-encoding', 'gzip'],
  ])
  // The task's own wins.
  if (traceparent !== '') headers.set('traceparent', traceparent)
  for (const [name, value] of given) {
    if (!OWN_HEADERS.has(name.toLowerCase())) headers.set(name.toLowerCase(), value)
  }
  if (body !== null) headers.set('content-length', String(body.length))
  else if (['POST', 'PUT', 'PATCH'].includes(method)) headers.set('content-length', '0')
  return headers
}

const run = async (
  first: WebRequest,
  isUnpacking: boolean,
  shownFirst: string,
  context: ToolContext,
): Promise<ToolResult> => {
  const word = operation(first.method)
  const failed = (shown: string, reason: string): ToolResult =>
    failDuring(`http request failed: ${word} ${quote(shownUrl(shown))}: ${reason}`, context)
  let asked = first
  let shown = shownFirst
  for (let sent = 1; ; sent++) {
    const met = await exchange(asked, context.signal, context.settings)
    if (!met.ok && met.isDenied)
      return deny(`http request failed: ${word} ${quote(shownUrl(shown))}: ${met.reason}`)
    if (!met.ok) return failed(shown, met.reason)
    const { answer, request } = met
    const location = locationOf(answer)
    if (location === null) {
      const body = await readBody(
        answer,
        request,
        context.settings.httpBodyLimitBytes,
        isUnpacking,
        context.signal,
      )
      if (!body.ok) return failDuring(`read response: ${body.reason}`, context)
      return done({ body: body.text, status_code: answer.statusCode ?? 0 })
    }
    request.destroy()
    if (sent === MAX_REDIRECTS) return failed(location, `stopped after ${MAX_REDIRECTS} redirects`)
    const { next, parsed, shown: nextShown } = redirected(asked, answer.statusCode ?? 0, location)
    if (next === null || !parsed.ok) return failed(nextShown, parsed.ok ? 'no address' : parsed.reason)
    asked = next
    shown = nextShown
  }
}

/** Makes an HTTP request. Whatever the server answers is a success. @see contract A5 */
export const http: Tool = {
  name: 'http',
  async run(input, context) {
    const fields = new InputFields(input, context, 'http params', 'HTTPParams')
    const [text, asked, bodyText] = [fields.string('url'), fields.string('method'), fields.string('body')]
    const given = fields.stringEntries('headers')
    if (fields.problem !== null) return refuse(fields.problem)
    if (text === '') return refuse('url is required')
    const method = asked === '' ? 'GET' : asked
    if (!isToken(method)) return refuse(`create request: net/http: invalid method ${quote(method)}`)
    const parsed = parseUrl(text)
    if (!parsed.ok && parsed.kind === 'malformed') {
      return refuse(`create request: parse ${quote(text)}: ${parsed.reason}`)
    }
    const refused = (reason: string): ToolResult =>
      refuse(`http request failed: ${operation(method)} ${quote(shownUrl(text))}: ${reason}`)
    if (!parsed.ok) return refused(parsed.reason)
    for (const [name, value] of given) {
      const problem = headerProblem(name, value)
      if (problem !== null) return refused(problem)
    }
    const body = bodyText === '' ? null : Buffer.from(bodyText)
    const isUnpacking = !given.some(([name]) => name.toLowerCase() === 'accept-encoding')
    const headers = headersFor(given, method, body, context.traceparent)
    return run({ method, url: parsed.url, headers, body }, isUnpacking, text, context)
  },
}
