/** Relaxed graphs are told before they are written: what one replaces it replaces before the next one begins. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { Scheduler } from '../../../../src/scheduler/scheduler.ts'
import { LmdbStore } from '../../../../src/store/lmdb/lmdb-store.ts'
import { DecidingExecutor } from '../../../support/deciding-executor.ts'
import { planOf, submitted } from '../../../support/tasks.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const quiet = (): void => {}

test('a small relaxed graph does not overtake a large one whose task it replaces', async (t) => {
  const store = new LmdbStore({
    dataDir: await tempDir(t),
    nowMs: Date.now,
    stateJsonEveryMs: 0,
    retention: { maxAgeMs: 0, maxTasks: 0 },
    onProblem: (error) => assert.fail(String(error)),
  })
  const executor = new DecidingExecutor(Date.now)
  const scheduler = new Scheduler({
    store,
    executor,
    slots: 20,
    graceMs: 0,
    maxUnfinished: 100,
    instantTools: new Set(),
    nowMs: Date.now,
    monotonicMs: Date.now,
    log: { debug: quiet, info: quiet, warn: quiet, error: (fields) => assert.fail(JSON.stringify(fields)) },
  })
  await scheduler.start()
  const submit = (...ids: string[]) =>
    scheduler.submit({ plan: planOf(ids.map((id) => submitted(id))), onConflict: 'replace', isRelaxed: true })
  const attemptsOfX = (): number =>
    [...executor.pending.values()].filter(({ taskId }) => taskId === 'x').length

  assert.ok((await submit('x')).ok)
  while (attemptsOfX() === 0) await sleep(1)
  executor.answersAborts = false
  const others = Array.from({ length: 12 }, (_, at) => `other-${at}`)
  const both = await Promise.all([submit(...others, 'x'), submit('x')])
  assert.ok(both.every(({ ok }) => ok))
  await sleep(100)
  assert.equal(attemptsOfX(), 1)
  executor.answersAborts = true
  for (const ref of executor.pending.keys()) executor.succeed(ref)
  await scheduler.stop(0)
})
