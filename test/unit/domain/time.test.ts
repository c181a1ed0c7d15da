import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { goDuration, parseRfc3339, rfc3339 } from '../../../src/domain/time.ts'

describe('rfc3339', () => {
  it('is in UTC with three places', () => {
    assert.equal(rfc3339(0), '1970-01-01T00:00:00.000Z')
    assert.equal(rfc3339(1_775_211_263_805), '2026-04-03T10:14:23.805Z')
    assert.equal(rfc3339(1_775_211_263_999.9), '2026-04-03T10:14:23.999Z')
    assert.equal(rfc3339(-1), '1969-12-31T23:59:59.999Z')
  })

  it('says what Date says, in any order of calls', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -1500, max: 1500 }), (atMs, off) => {
        for (const ms of [atMs, Math.max(0, atMs + off), atMs])
          assert.equal(rfc3339(ms), new Date(ms).toISOString())
      }),
    )
  })
})

describe('parseRfc3339', () => {
  const TIMES: readonly (readonly [string, number])[] = [
    ['2026-04-03T10:14:23Z', 1_775_211_263_000],
    ['2026-04-03T10:14:23.8Z', 1_775_211_263_800],
    ['2026-04-03T10:14:23.805Z', 1_775_211_263_805],
    ['2026-04-03T18:14:23.805999999+08:00', 1_775_211_263_805],
    ['2026-04-03T05:44:23.805123456-04:30', 1_775_211_263_805],
    ['2026-04-03 10:14:23.805Z', 1_775_211_263_805],
  ]
  for (const [text, ms] of TIMES) it(`reads ${text}`, () => assert.equal(parseRfc3339(text), ms))

  const OTHERS = [
    '',
    'yesterday',
    '2026-04-03',
    '2026-04-03T10:14:23',
    '2026-04-03T10:14Z',
    '2026-13-03T10:14:23Z',
    '2026-04-03T25:14:23Z',
    'Fri, 03 Apr 2026 10:14:23 GMT',
    ' 2026-04-03T10:14:23Z',
    '1775211263805',
  ]
  for (const text of OTHERS) {
    it(`does not read ${JSON.stringify(text)}`, () => assert.ok(Number.isNaN(parseRfc3339(text))))
  }

  it('reads what rfc3339 writes', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => parseRfc3339(rfc3339(ms)) === ms))
  })
})

describe('goDuration', () => {
  const DURATIONS: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [-5000, '0s'],
    [999, '0s'],
    [9000, '9s'],
    [59_999, '59s'],
    [60_000, '1m0s'],
    [65_000, '1m5s'],
    [3_599_000, '59m59s'],
    [3_600_000, '1h0m0s'],
    [7_200_000, '2h0m0s'],
    [90_061_000, '25h1m1s'],
    [360_000_000, '100h0m0s'],
  ]
  for (const [ms, text] of DURATIONS) it(`${ms} ms → ${text}`, () => assert.equal(goDuration(ms), text))
})
