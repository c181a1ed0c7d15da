import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { resultOf } from '../../../../workers/mcp/result.ts'

const text = (said: string) => ({ type: 'text' as const, text: said })
/** Of an answer that servers may send and whose type says less. */
const bounded = (answer: object, maxBytes: number): any =>
  resultOf('s', 't', answer as Parameters<typeof resultOf>[2], maxBytes)
const image = (bytes: number) => ({ type: 'image' as const, data: 'A'.repeat(bytes), mimeType: 'image/png' })

test('what fits is kept as it is', () => {
  const answer = { content: [text('a'), image(10)], structuredContent: { b: [1] } }
  assert.deepEqual(resultOf('s', 't', answer, 1000), {
    ok: true,
    output: answer,
    details: { mcp_server: 's', mcp_tool: 't' },
  })
})

test('a text loses its middle, an image all of it, and what comes after is counted', () => {
  const content = [text('first'), text(`<${'x'.repeat(5000)}>`), image(10), text('last')]
  const { ok, output, details } = bounded({ content, structuredContent: { big: 'y'.repeat(5000) } }, 1000)
  assert.ok(ok)
  assert.deepEqual(output.content[0], text('first'))
  assert.match(output.content[1].text, /^<x+>$/)
  assert.equal(output.content[1].text.length + output.content[1].truncated_bytes, 5002)
  assert.equal(output.structuredContent, undefined)
  assert.ok(details.output_truncated_bytes > 8000)

  const images = bounded({ content: [image(5000), text('after')] }, 1000)
  assert.equal(images.output.content[0].type, 'image')
  assert.ok(images.output.content[0].truncated_bytes > 5000)
  assert.deepEqual(images.output.content[1], text('after'))
})

test('what is nested deeper than clients can read goes', () => {
  const nested = (levels: number): object => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)
  const flat = { content: [text('a')], structuredContent: nested(60) }
  assert.deepEqual(bounded(flat, 10_000).output, flat)
  const deep = { content: [{ ...text('a'), _meta: nested(100) }], structuredContent: nested(100) }
  const { output, details } = bounded(deep, 10_000)
  assert.deepEqual(output, { content: [{ ...text('a'), truncated_bytes: 0 }] })
  assert.ok(details.output_truncated_bytes > 1000)
})

test('an output is never larger than the limit, but for a note of what is missing', () => {
  const block = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 2000 }).map(text),
    fc.nat(2000).map(image),
    fc.string({ unit: fc.constantFrom('\u0000', '"', 'é', '🙂'), maxLength: 2000 }).map(text),
  )
  fc.assert(
    fc.property(fc.array(block, { maxLength: 50 }), fc.integer({ min: 1, max: 4000 }), (content, limit) => {
      const result = resultOf('s', 't', { content }, limit)
      assert.ok(result.ok)
      assert.ok(Buffer.byteLength(JSON.stringify(result.output)) <= limit + 300)
    }),
  )
})

test('an error says the text', () => {
  const failed = resultOf('s', 't', { content: [text('one'), image(3), text('two')], isError: true }, 1000)
  assert.ok(!failed.ok && !failed.isFinal)
  assert.equal(failed.message, 'one\ntwo')
  const silent = resultOf('s', 't', { content: [], isError: true }, 1000)
  assert.ok(!silent.ok)
  assert.equal(silent.message, 'mcp tool s/t failed and did not say why')
  const long = resultOf('s', 't', { content: [text('z'.repeat(100_000))], isError: true }, 200_000)
  assert.ok(!long.ok && long.message.length <= 4096)
})
