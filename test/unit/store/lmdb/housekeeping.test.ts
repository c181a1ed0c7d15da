/** What the LMDB store does by itself, with a clock that the test turns. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, describe, it } from 'node:test'
import { openTables, type Tables } from '../../../../src/store/lmdb/database.ts'
import { LmdbStore } from '../../../../src/store/lmdb/lmdb-store.ts'
import { accepted, graphOf } from '../../../support/tasks.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS

/** A store whose hours the test lets pass. */
const storeOf = async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const dataDir = await tempDir(t)
  let passedMs = 0
  const nowMs = (): number => 1_775_211_263_805 + passedMs
  const store = new LmdbStore({
    dataDir,
    nowMs,
    stateJsonEveryMs: 0,
    retention: { maxAgeMs: 0, maxTasks: 0 },
    onProblem: (error) => assert.fail(String(error)),
  })
  await store.start()
  return {
    store,
    nowMs,
    /** Lets time pass, without what is done each hour. */
    pass(ms: number): void {
      passedMs += ms
    },
    hour: () => t.mock.timers.tick(HOUR_MS),
    /** Closes the store, and looks at what it left. */
    async left<T>(look: (tables: Tables) => T): Promise<T> {
      await store.stop()
      const tables = openTables(join(dataDir, 'execgo.lmdb'))
      const found = look(tables)
      await tables.root.close()
      return found
    },
  }
}

describe('each hour', () => {
  it('first answers of more than a day ago are removed, thousands of them', async (t) => {
    const { store, nowMs, pass, hour, left } = await storeOf(t)
    const answer = (key: string) => ({ key, bodyHash: 'h', answer: '{}', atMs: nowMs() })
    const keep = (names: readonly string[]) =>
      Promise.all(names.map((name) => store.commit({ firstAnswer: answer(name) }, 'relaxed')))
    await keep(Array.from({ length: 2500 }, (_, at) => `old-${at}`))
    pass(DAY_MS - 1)
    await keep(['young', 'younger'])
    assert.notEqual(await store.firstAnswer('old-0'), null)
    pass(HOUR_MS)
    hour()
    assert.equal(await store.firstAnswer('old-2499'), null)
    assert.notEqual(await store.firstAnswer('young'), null)
    assert.deepEqual(await left(({ answers }) => [...answers.getKeys({})]), ['young', 'younger'])
  })

  it('graphs are forgotten of which no task is left', async (t) => {
    const { store, hour, left } = await storeOf(t)
    const [a, b] = [accepted('a'), accepted('b')]
    const [gone, stays] = [graphOf(a), graphOf(b)]
    for (const acceptance of [gone, stays]) await store.commit({ accepted: acceptance }, 'sync')
    for (const task of [a, b]) {
      task.phase = 'skipped'
      task.graph.unfinished = 0
    }
    await store.commit({ ended: [a, b] }, 'sync')
    await store.commit({ removed: ['a'] }, 'sync')
    assert.notEqual(await store.graph(gone.graph.key), null)
    hour()
    assert.deepEqual(await left(({ graphs }) => [...graphs.getKeys({})]), [stays.graph.key])
  })
})
