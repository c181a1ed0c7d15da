/**
 * W3C trace context: the `traceparent` that ties what a task does to the request that submitted it.
 * https://www.w3.org/TR/trace-context/
 */

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?=$|-)/

/** What of it is handed on: one that is none is `''`, and of a later version only what this one knows is. */
export const traceparentIn = (given: string): string => {
  const match = TRACEPARENT.exec(given.trim())
  if (match === null || /^0+$/.test(match[1]!) || /^0+$/.test(match[2]!)) return ''
  // Only a later version may have more than four parts.
  if (given.startsWith('00') && match[0].length !== given.trim().length) return ''
  return match[0].startsWith('00') ? match[0] : `00${match[0].slice(2)}`
}

/** The trace id of a traceparent, `''` of none. */
export const traceIdIn = (traceparent: string): string => traceparent.slice(3, 35)
