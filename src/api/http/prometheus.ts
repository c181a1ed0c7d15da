/**
 * `GET /metrics` for who asks for text, and `GET /metrics/prometheus`.
 * @see contract B6
 */
import { CONTENT_TYPES, type Format } from '../../metrics/exposition.ts'
import { type HttpContext, reply } from './reply.ts'

/** The metrics as text. */
export interface MetricsText {
  text(format: Format): Promise<string>
}

const TEXT = 'text/plain'
const OPEN = 'application/openmetrics-text'
const JSON_TYPE = 'application/json'

/** The format that an `Accept` prefers to JSON, `null` for none: who takes anything gets JSON, as ever. */
export const formatOf = (given: string): Format | null => {
  const accept = given.toLowerCase()
  if (!accept.includes('text/') && !accept.includes('openmetrics')) return null
  const json = quality(accept, JSON_TYPE)
  const text = quality(accept, TEXT)
  const open = quality(accept, OPEN)
  if (Math.max(text, open) <= json) return null
  return open >= text ? 'openmetrics' : 'prometheus'
}

/** How much a type is wanted, by the most exact range that names it; 0 to 1. */
const quality = (accept: string, type: string): number => {
  const ranges = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*']
  let found = 0
  let foundAt = ranges.length
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((each) => each.trim())
    const at = ranges.indexOf(range)
    if (at < 0 || at > foundAt) continue
    const weight = parameters.find((each) => each.startsWith('q='))
    const q = weight === undefined ? 1 : Number(weight.slice(2)) || 0
    found = at === foundAt ? Math.max(found, q) : q
    foundAt = at
  }
  return found
}

export const replyMetrics = async (
  c: HttpContext,
  metrics: MetricsText,
  format: Format,
): Promise<Response> => {
  const text = await metrics.text(format)
  const response = reply(c, 200, text)
  response.headers.set('Content-Type', CONTENT_TYPES[format])
  return response
}
