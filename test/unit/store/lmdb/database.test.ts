import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Tables, transact } from '../../../../src/store/lmdb/database.ts'

test('a transaction of which nothing is heard has failed after a while', async () => {
  const never = new Promise<boolean>(() => {})
  // As LMDB is once its meta page could not be written, which no test can bring about at will.
  const root = { batch: () => never, committed: never, flushed: never } as unknown as Tables['root']
  const { committed } = transact({ root }, () => {}, 20)
  await assert.rejects(committed, /the disk did not confirm a write within 0.02 s/)
})
