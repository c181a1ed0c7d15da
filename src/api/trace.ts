/** The id that ties a request to its log lines. */
import { randomFillSync } from 'node:crypto'

const DIGITS = 16

// Digits are made for many ids at once.
const pool = Buffer.alloc(4096)
let digits = ''
let at = 0

/** 16 random hex digits. */
export const newTraceId = (): string => {
  if (at === digits.length) {
    digits = randomFillSync(pool).toString('hex')
    at = 0
  }
  at += DIGITS
  return digits.slice(at - DIGITS, at)
}
