import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gatherTasks } from '../../../../src/api/grpc/gather.ts'
import { slowTexts, turnsDuring } from '../../../support/turns.ts'

const client = { cancelled: false }

describe('tasks for one message', () => {
  it('are gathered in turns with others', async () => {
    const gathered = gatherTasks(slowTexts(300), client, 1, '')
    assert.ok((await turnsDuring(gathered)) >= 15)
    const tasks = await gathered
    assert.ok(tasks.ok)
    assert.deepEqual([tasks.value.length, tasks.value[299]!.id], [300, 't299'])
  })

  it('are refused where they are too large together, and not read to the end', async () => {
    let read = 0
    const texts = async function* () {
      for (; read < 100; read++) yield `{"id":"${'x'.repeat(300_000)}"}`
    }
    const gathered = await gatherTasks(texts(), client, 1, 'do something else')
    assert.deepEqual(gathered, {
      ok: false,
      problem: { code: 'too_large', message: 'the tasks are larger than 1 MiB: do something else' },
    })
    assert.equal(read, 3)
  })

  it('are not gathered for a client that is gone', async () => {
    const gathered = await gatherTasks(slowTexts(5), { cancelled: true }, 1, '')
    assert.ok(gathered.ok)
    assert.equal(gathered.value.length, 0)
  })
})
