/** What the values of options may be, and what they become. */
import { InvalidArgumentError } from 'commander'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `500ms`, `30s`, `5m`, `1h` in milliseconds. */
export const durationMs = (text: string): number => {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Expected a duration like 500ms, 30s, 5m or 1h.')
  return Number(match[1]) * UNIT_MS[match[2]!]!
}

/** A parser of whole numbers of a range. */
export const wholeNumberIn =
  (least: number, most: number) =>
  (text: string): number => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (!(number >= least && number <= most))
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`)
    return number
  }

/** Gathers `name=value` of an option that may come several times. */
export const nameAndValue = (
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> => {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Expected name=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
