import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { LmdbStore } from '../../../../src/store/lmdb/lmdb-store.ts'
import { accepted, graphOf } from '../../../support/tasks.ts'
import { tempDir } from '../../../support/temp-dir.ts'

test('a record with a name that is a number is found by its id, and written again', async (t) => {
  const dataDir = await tempDir(t)
  const path = join(dataDir, 'state.json')
  const record = { id: 'old', type: 'noop', status: 'success', 0: 'zero' }
  await writeFile(path, JSON.stringify({ old: record }))
  const store = new LmdbStore({
    dataDir,
    nowMs: () => 1_775_211_263_805,
    stateJsonEveryMs: 60_000,
    retention: { maxAgeMs: 0, maxTasks: 0 },
    onProblem: (error) => assert.fail(String(error)),
  })
  await store.start()
  const json = store.get('old')
  const task = accepted('new')
  await store.commit({ accepted: graphOf(Object.assign(task, { key: 2 })) }, 'sync')
  await store.stop()
  assert.deepEqual(JSON.parse(json!), { ...record, graph_id: 'g-1' })
  assert.deepEqual(Object.keys(JSON.parse(await readFile(path, 'utf8'))), ['old', 'new'])
})
