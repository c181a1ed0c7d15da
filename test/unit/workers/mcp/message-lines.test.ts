import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MessageLines } from '../../../../workers/mcp/message-lines.ts'

test('lines are the same however the bytes arrive', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll(/\s/g, '_'))
  fc.assert(
    fc.property(
      fc.array(line),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (texts, sizes) => {
        const lines = new MessageLines({ maxBytes: 1000, maxValues: 10 })
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''))
        const found: string[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length]!
          found.push(...lines.append(bytes.subarray(at, at + size)))
          at += size
        }
        assert.deepEqual(
          found,
          texts.filter((text) => text.trim() !== '').map((text) => text.trim()),
        )
      },
    ),
  )
})

test('a line that gets too long is an error, whether it ends or not', () => {
  assert.deepEqual(
    new MessageLines({ maxBytes: 4, maxValues: 10 }).append(Buffer.from('abcd\r\n').subarray(0, 4)),
    [],
  )
  assert.throws(
    () => new MessageLines({ maxBytes: 4, maxValues: 10 }).append(Buffer.from('abcde')),
    /more than 4 bytes/,
  )
  assert.throws(
    () => new MessageLines({ maxBytes: 4, maxValues: 10 }).append(Buffer.from('abcde\n')),
    /more than 4 bytes/,
  )
  const lines = new MessageLines({ maxBytes: 4, maxValues: 10 })
  assert.deepEqual(lines.append(Buffer.from('abcd\nefgh\nij')), ['abcd', 'efgh'])
  assert.throws(() => lines.append(Buffer.from('klm')), /more than 4 bytes/)
})
