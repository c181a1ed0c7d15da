import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RecordBuffer } from '../../../../src/store/lmdb/record-buffer.ts'

describe('the buffer of a group', () => {
  it('keeps each record as it was written, in pieces, while others follow', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 })
    // Some that are longer than a piece, and longer than the buffer.
    const long = fc.tuple(text, fc.constantFrom(1, 200, 5000)).map(([piece, times]) => piece.repeat(times))
    const group = fc.array(fc.array(long, { maxLength: 4 }), { maxLength: 5 })
    const records = new RecordBuffer()
    fc.assert(
      fc.property(group, (written) => {
        records.clear()
        const found = written.map((pieces) => {
          for (const piece of pieces) records.write(piece)
          return records.end()
        })
        for (const [at, pieces] of written.entries()) assert.equal(found[at]!.toString(), pieces.join(''))
      }),
      { numRuns: 100 },
    )
  })

  it('gives room for numbers at multiples of eight', () => {
    const records = new RecordBuffer()
    for (let bytes = 0; bytes < 40; bytes++) {
      records.write('x'.repeat(bytes))
      const text = records.end()
      const numbers = records.take(80)
      assert.equal(numbers.byteOffset % 8, 0)
      numbers.fill(0xff)
      assert.equal(text.toString(), 'x'.repeat(bytes))
    }
  })
})
