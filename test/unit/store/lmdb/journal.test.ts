/** What the journal gives back after an end of the process or of the machine at any moment. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { entriesIn } from '../../../../src/store/lmdb/entries.ts'
import { Journal } from '../../../../src/store/lmdb/journal.ts'
import { RecordBuffer } from '../../../../src/store/lmdb/record-buffer.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const ID = '9b8f0c5e-5a58-4c7e-8f0e-3f5b6f1f2a10'
const records = new RecordBuffer()

const recordOf = (text: string): Buffer => {
  records.begin()
  records.open('accepts', 7)
  records.write(text)
  records.close()
  const { bytes } = records.end()
  records.recycle(records.detach())
  return Buffer.from(bytes)
}

const textsIn = (dataDir: string, applied: number, id = ID): string[] =>
  Journal.read(dataDir, id, applied).map((record) => String(entriesIn(record)[0]!.value))

const opened = async (t: TestContext, last = 0) => {
  const dataDir = await tempDir(t)
  const journal = Journal.open(dataDir, ID, last)
  t.after(() => journal.close())
  const append = (...texts: string[]): void => {
    for (const text of texts) journal.append(recordOf(text))
  }
  return { dataDir, journal, append }
}

describe('the journal', () => {
  it('has nothing before it was made, or of another database', async (t) => {
    assert.deepEqual(textsIn(await tempDir(t), 0), [])
    const { dataDir, append } = await opened(t)
    append('a')
    assert.deepEqual(textsIn(dataDir, 0), ['a'])
    assert.deepEqual(textsIn(dataDir, 0, ID.replace('9', '8')), [])
  })

  it('gives back what was appended and not applied, in order', async (t) => {
    const { dataDir, append } = await opened(t, 10)
    append('a', 'b', '', 'd')
    assert.deepEqual(textsIn(dataDir, 10), ['a', 'b', '', 'd'])
    assert.deepEqual(textsIn(dataDir, 12), ['', 'd'])
    assert.deepEqual(textsIn(dataDir, 14), [])
    assert.deepEqual(textsIn(dataDir, 9), [], 'one is missing before')
  })

  it('counts on from what the database has, and does not take what lies there from an earlier start', async (t) => {
    const { dataDir, journal, append } = await opened(t)
    append('a', 'b', 'c')
    journal.close()
    const next = Journal.open(dataDir, ID, 1)
    t.after(() => next.close())
    assert.deepEqual(textsIn(dataDir, 1), [])
    next.append(recordOf('B'))
    assert.equal(next.last, 2)
    assert.deepEqual(textsIn(dataDir, 1), ['B'], 'c lies right behind it')
  })

  it('writes over what was released, and both files in turns', async (t) => {
    const { dataDir, journal } = await opened(t)
    const big = 'x'.repeat(900_000)
    let written = 0
    for (let round = 0; round < 40; round++) {
      journal.append(recordOf(`${round} ${big}`))
      await journal.sync()
      written++
      // The database is five behind.
      journal.release(written - 5)
      const wanted = Array.from({ length: Math.min(written, 5) }, (_, at) =>
        String(written - Math.min(written, 5) + at),
      )
      assert.deepEqual(
        textsIn(dataDir, Math.max(0, written - 5)).map((text) => text.split(' ')[0]),
        wanted,
      )
    }
    journal.release(written)
    journal.append(recordOf('small'))
    for (const name of ['execgo.journal.0', 'execgo.journal.1'])
      assert.ok(statSync(join(dataDir, name)).size < 12 * 1024 * 1024, `${name} does not grow`)
  })

  it('cut or damaged anywhere, gives back what lies before', async (t) => {
    const { dataDir, append } = await opened(t)
    const texts = Array.from({ length: 20 }, (_, at) => `${at}`.repeat(at * 3))
    append(...texts)
    const path = join(dataDir, 'execgo.journal.0')
    const whole = readFileSync(path)
    const ends = [64]
    for (const text of texts) ends.push(ends.at(-1)! + recordOf(text).length)
    fc.assert(
      fc.property(
        fc.integer({ min: 64, max: ends.at(-1)! - 1 }),
        fc.constantFrom('cut', 'zeros', 'noise'),
        (at, how) => {
          const bytes = Buffer.from(how === 'cut' ? whole.subarray(0, at) : whole)
          if (how !== 'cut') {
            const hurt = how === 'zeros' ? Buffer.alloc(64) : randomBytes(64)
            hurt.copy(bytes, at)
          }
          writeFileSync(path, bytes)
          const before = ends.filter((end) => end <= at).length - 1
          const found = textsIn(dataDir, 0)
          // Zeros may fall on zeros.
          assert.ok(found.length >= before)
          assert.deepEqual(found, texts.slice(0, found.length))
          if (how !== 'zeros') assert.ok(found.length <= before + 1)
        },
      ),
    )
  })

  it('resolves a sync when all is synced that was appended before', async (t) => {
    const { journal, append } = await opened(t)
    const order: string[] = []
    append('a')
    const first = journal.sync().then(() => order.push('a'))
    append('b')
    const second = journal.sync().then(() => order.push('b'))
    append('c')
    const third = journal.sync().then(() => order.push('c'))
    await Promise.all([first, second, third])
    assert.deepEqual(order, ['a', 'b', 'c'])
    await journal.sync()
  })

  it('syncs at once where nothing else is being synced', async (t) => {
    const { journal, append } = await opened(t)
    append('a')
    const under = journal.sync()
    append('b')
    assert.equal(journal.syncNow(), false)
    await under
    // A disk that is slow at this moment is not waited for again.
    assert.equal(typeof journal.syncNow(), 'boolean')
    append('c')
    journal.close()
    assert.equal(journal.syncNow(), false)
  })

  it('tells that it was closed', async (t) => {
    const { dataDir, journal, append } = await opened(t)
    append('a')
    journal.close()
    await assert.rejects(journal.sync())
    assert.throws(() => append('b'), /closed/)
    assert.deepEqual(textsIn(dataDir, 0), ['a'])
  })
})
