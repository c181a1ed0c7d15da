/** What a setting's text may be, and what it becomes. */
import * as v from 'valibot'
import { parseAddress } from './address.ts'

export const address = v.pipe(
  v.string(),
  v.check((text) => parseAddress(text) !== null, 'host:port, :port or [::1]:port'),
  v.transform((text) => parseAddress(text)!),
)

export const wholeNumber = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.check(
      (text) => /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most,
      `a whole number from ${least} to ${most}`,
    ),
    v.transform(Number),
  )

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `30s`, `12h`, `7d` in milliseconds; an empty text is 0. */
export const duration = v.pipe(
  v.string(),
  v.check((text) => /^([1-9]\d{0,8}[smhd])?$/.test(text), 'a duration like 30s, 15m, 12h or 7d'),
  v.transform((text) => (text === '' ? 0 : Number(text.slice(0, -1)) * UNIT_MS[text.slice(-1)]!)),
)

/** How long one may have to send something: with no time at all nobody could. */
export const patience = v.pipe(
  duration,
  v.check((ms) => ms >= 1000 && ms <= UNIT_MS['h']!, 'a duration from 1s to 1h'),
)
