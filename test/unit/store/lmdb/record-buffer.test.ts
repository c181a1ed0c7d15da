import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Entry, entriesIn, type TableName } from '../../../../src/store/lmdb/entries.ts'
import { type GroupRecord, RecordBuffer } from '../../../../src/store/lmdb/record-buffer.ts'

const text = fc.string({ unit: 'binary', maxLength: 200 })
/** Some that are longer than a piece, and longer than a chunk. */
const long = fc.tuple(text, fc.constantFrom(1, 200, 5000)).map(([piece, times]) => piece.repeat(times))
const key = fc.oneof(fc.integer({ min: 1 }), fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }))
const table = fc.constantFrom<TableName>('accepts', 'batches', 'graphs', 'answers', 'gone')
const entry = fc.record({ table, key, pieces: fc.option(fc.array(long, { maxLength: 4 })) })

const utf8 = (value: string): string => Buffer.from(value).toString()

describe('the buffer of groups', () => {
  it('keeps each entry as it was written, in pieces, while others follow', () => {
    const records = new RecordBuffer()
    fc.assert(
      fc.property(fc.array(fc.array(entry, { maxLength: 5 }), { maxLength: 5 }), (groups) => {
        const found: GroupRecord[] = groups.map((entries) => {
          records.begin()
          for (const { table: name, key: at, pieces } of entries) {
            if (pieces === null) {
              records.remove(name, at)
              continue
            }
            records.open(name, at)
            for (const piece of pieces) records.write(piece)
            records.close()
          }
          const record = records.end()
          records.keep()
          return record
        })
        for (const [at, entries] of groups.entries()) {
          const wanted = entries.map(({ table: name, key: id, pieces }) => ({
            table: name,
            key: typeof id === 'number' ? id : utf8(id),
            value: pieces === null ? null : utf8(pieces.join('')),
          }))
          const { bytes, entries: kept } = found[at]!
          assert.deepEqual(entriesIn(bytes).map(asText), wanted)
          assert.deepEqual(
            kept
              .map(asText)
              .map((each) => ({ ...each, key: typeof each.key === 'number' ? each.key : utf8(each.key) })),
            wanted,
          )
        }
        records.recycle(records.detach())
      }),
      { numRuns: 100 },
    )
  })

  it('gives room for numbers at multiples of eight', () => {
    const records = new RecordBuffer()
    records.begin()
    for (let bytes = 0; bytes < 40; bytes++) {
      records.open('answers', 'k'.repeat(bytes + 1))
      records.write('x'.repeat(bytes))
      const value = records.close()
      const numbers = records.take('heads', 1, 80)
      assert.equal(numbers.byteOffset % 8, 0)
      numbers.fill(0xff)
      assert.equal(value.toString(), 'x'.repeat(bytes))
    }
  })

  it('forgets what was begun and not ended', () => {
    const records = new RecordBuffer()
    records.begin()
    records.open('accepts', 1)
    records.write('half')
    records.begin()
    records.remove('starts', 2)
    assert.deepEqual(entriesIn(records.end().bytes), [{ table: 'starts', key: 2, value: null }])
  })

  it('writes over a record that was not kept', () => {
    const records = new RecordBuffer()
    const memory = new Set<ArrayBufferLike>()
    for (let round = 0; round < 200; round++) {
      records.begin()
      records.open('batches', round)
      for (let piece = 0; piece < 10; piece++) records.write('x'.repeat(10_000))
      memory.add(records.close().buffer)
      records.end()
    }
    assert.equal(memory.size, 1)
  })

  it('uses memory again once it was given back', () => {
    const records = new RecordBuffer()
    const memory = new Set<ArrayBufferLike>()
    for (let round = 0; round < 20; round++) {
      for (let group = 0; group < 8; group++) {
        records.begin()
        records.open('batches', group)
        for (let piece = 0; piece < 10; piece++) records.write('x'.repeat(10_000))
        memory.add(records.close().buffer)
        records.end()
        records.keep()
      }
      records.recycle(records.detach())
    }
    assert.ok(memory.size <= 10, `${memory.size} pieces of memory`)
  })
})

const asText = ({ table: name, key: at, value }: Entry) => ({
  table: name,
  key: at,
  value: value === null ? null : value.toString(),
})
