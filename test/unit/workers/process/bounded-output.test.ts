import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BoundedOutput } from '../../../../workers/process/bounded-output.ts'

const outputOf = (limitBytes: number, chunks: readonly (string | Buffer)[]) => {
  const output = new BoundedOutput(limitBytes)
  for (const chunk of chunks) output.append(Buffer.from(chunk as string))
  return output.finish()
}

test('keeps everything up to the limit', () => {
  assert.deepEqual(outputOf(10, []), { text: '', truncatedBytes: 0 })
  assert.deepEqual(outputOf(10, ['hello']), { text: 'hello', truncatedBytes: 0 })
  assert.deepEqual(outputOf(10, ['hello', ' you', '!']), { text: 'hello you!', truncatedBytes: 0 })
})

test('keeps the first and the last half beyond it', () => {
  assert.deepEqual(outputOf(10, ['0123456789abcdef']), { text: '01234bcdef', truncatedBytes: 6 })
  assert.deepEqual(outputOf(10, [...'0123456789abcdef']), { text: '01234bcdef', truncatedBytes: 6 })
  assert.deepEqual(outputOf(4, ['abcdef', 'x'.repeat(100), 'yz']), { text: 'abyz', truncatedBytes: 104 })
  assert.deepEqual(outputOf(0, ['abc']), { text: '', truncatedBytes: 3 })
})

test('any chunks of any sizes come to the same', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40 }),
      fc.array(fc.string({ unit: 'grapheme-ascii' })),
      (limit, chunks) => {
        const whole = chunks.join('')
        const { text, truncatedBytes } = outputOf(limit, chunks)
        if (whole.length <= limit) return text === whole && truncatedBytes === 0
        const head = Math.floor(limit / 2)
        const tail = limit - head
        return (
          text === whole.slice(0, head) + whole.slice(whole.length - tail) &&
          truncatedBytes === whole.length - limit
        )
      },
    ),
  )
})

test('never shows half a character', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8, max: 40 }),
      // One that is in the text itself says nothing.
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((piece) => !piece.includes('\ufffd')),
      (limit, piece) => {
        const { text } = outputOf(limit, [piece.repeat(10)])
        return !text.includes('\ufffd')
      },
    ),
  )
})

test('shows bytes that are no UTF-8 as replacements, also where it cuts', () => {
  assert.equal(outputOf(10, [Buffer.from([0x61, 0xff, 0x62])]).text, 'a\ufffdb')
  const { text, truncatedBytes } = outputOf(8, [Buffer.alloc(100, 0xff)])
  assert.match(text, /^\ufffd+$/)
  assert.ok(truncatedBytes >= 92)
})

test('a flood of single bytes stays within its limit', () => {
  const output = new BoundedOutput(1024)
  for (let n = 0; n < 100_000; n++) output.append(Buffer.from([0x61 + (n % 26)]))
  const { text, truncatedBytes } = output.finish()
  assert.equal(text.length, 1024)
  assert.equal(truncatedBytes, 100_000 - 1024)
  assert.equal(text.at(-1), String.fromCharCode(0x61 + (99_999 % 26)))
})
