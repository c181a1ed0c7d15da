import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageOn } from '../../../../workers/mcp/message-on.ts'

test('a message is what it is', () => {
  const message = { jsonrpc: '2.0', id: 1, result: { a: [1] } }
  assert.deepEqual(messageOn(JSON.stringify(message)), message)
})

test('an answer that is malformed is an error of its call', () => {
  for (const answer of ['{"jsonrpc":"2.0","id":7,"result":5}', '{"id":7,"result":{}}', '{"id":7}'])
    assert.deepEqual(messageOn(answer), {
      jsonrpc: '2.0',
      id: 7,
      error: { code: -32_000, message: "the server's answer is malformed" },
    })
})

test('what answers nobody is a failure', () => {
  for (const line of ['hello', '7', 'null', '[]', '{}', '{"id":null}', '{"id":7,"method":5}'])
    assert.throws(() => messageOn(line), line)
})
