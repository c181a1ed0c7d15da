import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listStream } from '../../../../src/api/http/list-stream.ts'
import { slowTexts, turnsDuring } from '../../../support/turns.ts'

const textOf = (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text()

describe('a streamed list', () => {
  it('is an array, or stands in what it is given', async () => {
    assert.equal(await textOf(listStream(slowTexts(0))), '[]')
    assert.equal(await textOf(listStream(slowTexts(2))), '[{"id":"t0"},{"id":"t1"}]')
    assert.equal(await textOf(listStream(slowTexts(0), '{"tasks":[', ']}')), '{"tasks":[]}')
    assert.equal(await textOf(listStream(slowTexts(1), '{"tasks":[', ']}')), '{"tasks":[{"id":"t0"}]}')
  })

  it('lets others have their turns, however quick its reader is', async () => {
    assert.ok((await turnsDuring(textOf(listStream(slowTexts(300))))) >= 15)
  })
})
