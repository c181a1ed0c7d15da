import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageSize } from '../../../../workers/mcp/message-size.ts'

const limits = { maxBytes: 100, maxValues: 5 }
type Way = 'add' | 'addEvents'

/** Given in parts of that many bytes. */
const give = (size: MessageSize, way: Way, text: string, partBytes: number): void => {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += partBytes) size[way](bytes.subarray(at, at + partBytes))
}

for (const partBytes of [1, 3, 1000])
  test(`bytes and values are counted, ${partBytes} bytes at a time`, () => {
    const isTaken = (text: string, way: Way = 'add'): boolean => {
      try {
        give(new MessageSize(limits), way, text, partBytes)
        return true
      } catch (error) {
        assert.match((error as Error).message, /more than (100 bytes|5 values)/)
        return false
      }
    }
    assert.ok(isTaken('x'.repeat(100)))
    assert.ok(!isTaken('x'.repeat(101)))
    assert.ok(isTaken('[1,2,3,4]'))
    assert.ok(!isTaken('[[],[],[]]'))
    assert.ok(!isTaken('{"a":1,"b":{},"c":[],"d":2}'))
    // What stands in a text is none.
    assert.ok(isTaken('["[[[[[[[,,,,,{{{{{\\"[[[[[[\\\\"]'))
    assert.ok(!isTaken('["\\\\",1,2,3,4,5]'))

    for (const end of ['\n', '\r', '\r\n']) {
      const event = `data: [1,2,3,4]${end}${end}`
      assert.ok(isTaken(event.repeat(50), 'addEvents'), JSON.stringify(end))
      // One of many lines is one.
      assert.ok(!isTaken(`data: xxxx${end}`.repeat(50), 'addEvents'), JSON.stringify(end))
      assert.ok(!isTaken(`data: [${end}`.repeat(6), 'addEvents'), JSON.stringify(end))
      // A quote in a comment hides nothing.
      assert.ok(!isTaken(`: "${end}data: [[],[],[]]${end}${end}`, 'addEvents'), JSON.stringify(end))
    }
  })
