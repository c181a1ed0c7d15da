import assert from 'node:assert/strict'
import { type TestContext, it } from 'node:test'
import { LmdbStore } from '../../../../src/store/lmdb/lmdb-store.ts'
import { accepted, graphOf } from '../../../support/tasks.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const storeOf = async (t: TestContext): Promise<LmdbStore> => {
  const store = new LmdbStore({
    dataDir: await tempDir(t),
    nowMs: () => 1_775_211_263_805,
    stateJsonEveryMs: 0,
    retention: { maxAgeMs: 0, maxTasks: 0 },
    onProblem: (error) => assert.fail(String(error)),
  })
  await store.start()
  return store
}

/** Less than the time after which a sync counts as failed. */
const SOON_MS = 20_000

for (const what of ['adds', 'takes away'] as const) {
  it(`what ${what} and waits for its sync does not wait for the time of relaxed ones before`, {
    timeout: SOON_MS,
  }, async (t) => {
    // The time after which those are synced by themselves never comes.
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const store = await storeOf(t)
    const [relaxed, task] = [accepted('relaxed'), accepted('task')]
    await store.commit({ started: [relaxed] }, 'relaxed')
    await store.commit(what === 'adds' ? { accepted: graphOf(task) } : { removed: ['relaxed'] }, 'sync')
    await store.stop()
  })
}
