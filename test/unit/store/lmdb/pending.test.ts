/** Between the journal and the tables: what is read meanwhile, what gets there, and what a crash leaves. */
import assert from 'node:assert/strict'
import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { openTables } from '../../../../src/store/lmdb/database.ts'
import { Journal } from '../../../../src/store/lmdb/journal.ts'
import { LmdbStore } from '../../../../src/store/lmdb/lmdb-store.ts'
import { Pending } from '../../../../src/store/lmdb/pending.ts'
import { RecordBuffer } from '../../../../src/store/lmdb/record-buffer.ts'
import { eventually } from '../../../support/eventually.ts'
import { accepted, graphOf } from '../../../support/tasks.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const ID = '9b8f0c5e-5a58-4c7e-8f0e-3f5b6f1f2a10'

const opened = async (t: TestContext) => {
  const dataDir = await tempDir(t)
  const tables = openTables(join(dataDir, 'x.lmdb'))
  const journal = Journal.open(dataDir, ID, 0)
  const records = new RecordBuffer()
  let applied = 0
  const pending = new Pending({
    dataDir,
    tables,
    journal,
    records,
    onApplied: () => applied++,
    onProblem: (error) => assert.fail(String(error)),
  })
  t.after(async () => {
    await pending.drain()
    pending.stop()
    await tables.root.close()
    journal.close()
  })
  /** Appends one group and hands it over. */
  const group = (write: (records: RecordBuffer) => void): void => {
    records.begin()
    write(records)
    const record = records.end()
    journal.append(record.bytes)
    records.keep()
    pending.add(record)
  }
  const text = (table: 'batches' | 'answers', key: number | string, value: string) => () => {
    records.open(table, key)
    records.write(value)
    records.close()
  }
  return { dataDir, tables, journal, records, pending, group, text, timesApplied: () => applied }
}

describe('what is pending', () => {
  it('is read before it is in the tables, and is there a moment later, many groups at once', async (t) => {
    const { tables, pending, group, text, timesApplied } = await opened(t)
    for (let key = 1; key <= 20; key++) group(text('batches', key, `text ${key}`))
    assert.equal(tables.batches.getBinary(1), undefined)
    assert.equal(String(pending.get('batches', 20)), 'text 20')
    await eventually('the tables have it', () => timesApplied() > 0)
    assert.equal(timesApplied(), 1)
    assert.equal(pending.get('batches', 20), undefined)
    for (let key = 1; key <= 20; key++) assert.equal(String(tables.batches.getBinary(key)), `text ${key}`)
    assert.equal(tables.meta.get('applied'), 20)
  })

  it('never gets there where it is removed before, and goes where it was', async (t) => {
    const { tables, pending, group, text, records } = await opened(t)
    group(text('batches', 1, 'stays'))
    group(text('batches', 2, 'goes'))
    group(() => records.remove('batches', 2))
    assert.equal(pending.get('batches', 2), undefined)
    await pending.drain()
    assert.deepEqual([...tables.batches.getKeys({})], [1])
    group(() => records.remove('batches', 1))
    assert.equal(pending.get('batches', 1), null)
    await pending.drain()
    assert.deepEqual([...tables.batches.getKeys({})], [])
  })

  it('notes how removed tasks ended, and forgets it with their accept record', async (t) => {
    const { tables, pending, group, records } = await opened(t)
    const note = (key: string) => group(() => records.take('gone', key, 1).fill(3))
    note('5:50')
    await pending.drain()
    note('5:51')
    note('55:51')
    group(() => records.remove('gone', 5))
    note('6:60')
    await pending.drain()
    assert.deepEqual(
      [...tables.gone.getRange({})].map(({ key, value }) => [...key, value]),
      [
        [6, 60, 3],
        [55, 51, 3],
      ],
    )
  })

  it('goes on after a transaction that took its time', async (t) => {
    const { tables, group, text } = await opened(t)
    group(text('batches', 1, 'a'.repeat(8 * 1024 * 1024)))
    for (let key = 2; key <= 6; key++) {
      group(text('batches', key, 'b'))
      await eventually(`${key} is in the tables`, () => tables.batches.getBinary(key) !== undefined)
    }
  })

  it('leaves nothing in the journal once it is synced in the tables', async (t) => {
    const { dataDir, tables, journal, pending, group, text } = await opened(t)
    const large = 'x'.repeat(1024 * 1024)
    for (let key = 1; key <= 40; key++) {
      group(text('batches', key, large))
      await pending.checkpoint()
    }
    assert.equal(journal.last, 40)
    assert.deepEqual(Journal.read(dataDir, ID, Number(tables.meta.get('applied'))), [])
  })
})

describe('a crash between the journal and the tables', () => {
  const start = async (dataDir: string) => {
    const store = new LmdbStore({
      dataDir,
      nowMs: () => 1_775_211_263_805,
      stateJsonEveryMs: 0,
      retention: { maxAgeMs: 0, maxTasks: 0 },
      onProblem: (error) => assert.fail(String(error)),
    })
    return { store, found: await store.start() }
  }

  /** What a machine has that lost power now. */
  const copyOf = async (t: TestContext, dataDir: string): Promise<string> => {
    const copy = await tempDir(t)
    for (const name of await readdir(dataDir))
      if (name !== 'execgo.lock') await cp(join(dataDir, name), join(copy, name))
    return copy
  }

  it('loses nothing that was told, at any of several starts', async (t) => {
    let dataDir = await tempDir(t)
    const over: string[] = []
    for (let round = 0; round < 6; round++) {
      const { store, found } = await start(dataDir)
      assert.deepEqual(
        found.unfinished.map(({ task }) => task.id),
        round === 0 ? [] : [`waits-${round - 1}`],
      )
      for (const { task } of found.unfinished) await end(store, task, over)
      const [ends, waits] = [accepted(`ends-${round}`), accepted(`waits-${round}`)]
      const keys = [found.lastKey + 1, found.lastKey + 2]
      for (const [at, task] of [ends, waits].entries()) (task as { key: number }).key = keys[at]!
      await store.commit({ accepted: graphOf(ends, waits) }, 'sync')
      await end(store, ends, over)
      for (const id of over) assert.match(String(await store.get(id)), /"status":"skipped"/)
      assert.match(String(await store.get(waits.id)), /"status":"pending"/)
      const copy = await copyOf(t, dataDir)
      await store.stop()
      dataDir = copy
    }
    const { store } = await start(dataDir)
    for (const id of over) assert.match(String(await store.get(id)), /"status":"skipped"/)
    await store.stop()
  })
})

const end = async (store: LmdbStore, task: ReturnType<typeof accepted>, over: string[]): Promise<void> => {
  task.phase = 'skipped'
  task.graph.unfinished--
  await store.commit({ ended: [task] }, 'sync')
  over.push(task.id)
}
