import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerReader } from '../../../bench/load/answer-reader.ts'

const ANSWERS = {
  counted: [
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 13\r\n\r\n{"status":"ö"}'.replace(
      '13',
      '15',
    ),
    '{"status":"ö"}',
  ],
  chunked: [
    'HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\nA;x=y\r\n[1,2,\r\n3]}\r\n0\r\nTrailer: x\r\n\r\n',
    '{"a":[1,2,\r\n3]}',
  ],
  empty: ['HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n', ''],
  zero: ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', ''],
} as const

for (const [name, [bytes, body]] of Object.entries(ANSWERS)) {
  test(`a ${name} answer is read wherever it is cut, from a buffer that is used again`, () => {
    const whole = Buffer.from(bytes)
    const status = Number(bytes.slice(9, 12))
    for (let piece = 1; piece <= whole.length; piece++) {
      const reader = new AnswerReader()
      // What an earlier read left in the buffer must not be taken for an end.
      const buffer = Buffer.from('\r\n\r\n'.repeat(100))
      for (let again = 0; again < 2; again++) {
        reader.keepsBody = true
        let isDone = false
        for (let at = 0; at < whole.length; at += piece) {
          assert.equal(isDone, false, `done before its end, in pieces of ${piece}`)
          isDone = reader.push(buffer, whole.copy(buffer, 0, at, Math.min(at + piece, whole.length)))
        }
        assert.equal(isDone, true, `in pieces of ${piece}`)
        assert.equal(reader.status, status)
        assert.equal(reader.text, body)
      }
    }
  })
}

test('an answer that nothing ends is refused', () => {
  const bytes = Buffer.from('HTTP/1.0 200 OK\r\n\r\n')
  assert.throws(() => new AnswerReader().push(bytes, bytes.length), /without a length/)
})
