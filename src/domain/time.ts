/**
 * Times and durations as text. Milliseconds since 1970 in, RFC 3339 in UTC out.
 */

const pad = (value: number, width: number): string => String(value).padStart(width, '0')

let cachedSecond = Number.NaN
let cachedPrefix = ''

/**
 * `2026-04-03T10:14:23.805Z`. The text of the second is kept: on the hot path a second lasts for thousands of calls.
 */
export const rfc3339 = (atMs: number): string => {
  const second = Math.floor(atMs / 1000)
  if (second !== cachedSecond) {
    cachedSecond = second
    cachedPrefix = new Date(second * 1000).toISOString().slice(0, 19)
  }
  return `${cachedPrefix}.${pad(Math.floor(atMs - second * 1000), 3)}Z`
}

/** Milliseconds since 1970 of an RFC 3339 time; NaN for anything else. Fractions beyond milliseconds are cut. */
export const parseRfc3339 = (text: string): number =>
  /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text.replace(/(\.\d{3})\d+/, '$1').replace(' ', 'T'))
    : Number.NaN

/** A duration in whole seconds the way Go prints it: `9s`, `1m5s`, `2h0m0s`. */
export const goDuration = (totalMs: number): string => {
  const total = Math.max(0, Math.floor(totalMs / 1000))
  const hours = Math.floor(total / 3600)
  const minutes = Math.floor(total / 60) % 60
  const seconds = total % 60
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}
