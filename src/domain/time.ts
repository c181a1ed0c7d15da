/**
 * Times and durations as text. Milliseconds since 1970 in, RFC 3339 in UTC out.
 */

/** Texts that were made last, by the lower bits of their millisecond: many tasks share one. */
const PLACES = 256
const keptMs = new Float64Array(PLACES).fill(Number.NaN)
const keptTexts: string[] = new Array(PLACES).fill('')

/** `2026-04-03T10:14:23.805Z`. Fractions of a millisecond are cut. */
export const rfc3339 = (atMs: number): string => {
  const ms = Math.floor(atMs)
  const place = ms & (PLACES - 1)
  if (keptMs[place] !== ms) {
    keptTexts[place] = new Date(ms).toISOString()
    keptMs[place] = ms
  }
  return keptTexts[place]!
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
