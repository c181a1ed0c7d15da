import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StartTimes } from '../../../../src/metrics/start-times.ts'
import type { ProcessSpec, ProcessStarter, StartResult } from '../../../../workers/process/starter.ts'
import { TimedStarter } from '../../../../workers/process/timed-starter.ts'

/** Starts nothing; the test decides what comes of it. */
const starterOf = (result: StartResult): ProcessStarter => ({
  way: 'node',
  start: async () => result,
  inherit: () => {},
})

test('starts are counted where they took place, by any number of starters', async () => {
  const times = new StartTimes()
  const spec = {} as ProcessSpec
  const started = { ok: true, process: {} } as StartResult
  for (const starter of [starterOf(started), starterOf(started)])
    assert.equal(await new TimedStarter(starter, times.shared).start(spec), started)
  const refused: StartResult = { ok: false, reason: 'no' }
  assert.equal(await new TimedStarter(starterOf(refused), times.shared).start(spec), refused)
  assert.equal(
    times.buckets.reduce((sum, each) => sum + each, 0),
    2,
  )
  assert.ok(times.sumS >= 0 && times.sumS < 60)
})
