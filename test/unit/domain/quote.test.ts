import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { quote } from '../../../src/domain/quote.ts'

/** What Go's `%q` prints. */
const TABLE: readonly (readonly [string, string])[] = [
  ['', '""'],
  ['abc', '"abc"'],
  ['a"b', '"a\\"b"'],
  ['a\\b', '"a\\\\b"'],
  ["it's", '"it\'s"'],
  ['\n\r\t\b\f', '"\\n\\r\\t\\b\\f"'],
  ['\u0007\u000b', '"\\a\\v"'],
  ['\u0000\u001b\u007f', '"\\x00\\x1b\\x7f"'],
  ['任务 😀 é', '"任务 😀 é"'],
  ['\u0080\u00a0\u00ad', '"\\u0080\\u00a0\\u00ad"'],
  ['\u2028\u2029\ufeff', '"\\u2028\\u2029\\ufeff"'],
  ['</script>', '"</script>"'],
  // Text that looks like an escape is text.
  ['\\u0001', '"\\\\u0001"'],
  ['\\\\u001b', '"\\\\\\\\u001b"'],
  ['\\\u0001', '"\\\\\\x01"'],
]

describe('quote', () => {
  for (const [text, quoted] of TABLE) it(JSON.stringify(text), () => assert.equal(quote(text), quoted))
})
