import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crashRounds } from './crash/harness.ts'

const ROUNDS = 20

test('20 crashes under load: nothing accepted is lost, nothing seen goes back', async (t) => {
  const given = process.env['EXECGO_CRASH_SEED']
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given)
  t.diagnostic(`EXECGO_CRASH_SEED=${seed}`)
  const summary = await crashRounds(seed, ROUNDS)
  t.diagnostic(JSON.stringify(summary))
  assert.equal(summary.rounds, ROUNDS)
  assert.ok(summary.tasks > 0)
})
