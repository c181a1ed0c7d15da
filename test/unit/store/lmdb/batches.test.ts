import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { finishedTaskJson } from '../../../../src/domain/task-json.ts'
import type { Task } from '../../../../src/domain/task.ts'
import { headIn, packBatches, textIn, writeMember } from '../../../../src/store/lmdb/batches.ts'
import { Piece } from '../../../../src/store/lmdb/piece.ts'
import { RecordBuffer } from '../../../../src/store/lmdb/record-buffer.ts'
import { TaskIndex } from '../../../../src/store/lmdb/task-index.ts'
import { accepted, ended, envelope } from '../../../support/tasks.ts'

interface Packed {
  readonly texts: readonly string[]
  readonly heads: readonly string[]
  readonly sizes: readonly number[]
  /** As the members of an object. */
  readonly members: readonly string[]
}

/** What is read back of tasks that were packed. */
const packed = (tasks: readonly Task[]): Packed => {
  const records = new RecordBuffer()
  const index = new TaskIndex()
  records.begin()
  const batches = packBatches(tasks, 7, records, index)
  const { entries } = records.end()
  const texts: string[] = []
  const heads: string[] = []
  const sizes: number[] = []
  const members: string[] = []
  for (const { number, heads: places } of batches) {
    assert.ok(places.isSound)
    const payload = entries.find(({ table, key }) => table === 'batches' && key === number)!.value!
    sizes.push(payload.length)
    for (let at = 0; at < places.count; at++) {
      const place = [payload, places.offset(at), places.length(at)] as const
      texts.push(textIn(...place))
      heads.push(headIn(...place, 12))
      const piece = new Piece()
      writeMember(piece, ...place)
      members.push(piece.take().toString())
    }
  }
  return { texts, heads, sizes, members }
}

const outputs = fc.constantFrom('{"ok":true}', '"é\u{1f600}"', JSON.stringify('x'.repeat(5000)))
const some = fc.array(
  fc.record({
    id: fc.oneof(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ unit: 'grapheme' })),
    dependsOn: fc.constantFrom([], ['é'], ['a', 'b']),
    outputJson: outputs,
  }),
  { maxLength: 60 },
)

describe('batches', () => {
  it('give back every text as it is shown', () => {
    fc.assert(
      fc.property(some, (given) => {
        const tasks = given.map(({ id, dependsOn, outputJson }) =>
          ended(accepted(id, { dependsOn }), envelope({ outputJson })),
        )
        const { texts, heads, members } = packed(tasks)
        assert.deepEqual(texts, tasks.map(finishedTaskJson))
        assert.deepEqual(
          members,
          tasks.map((task) => `${JSON.stringify(task.id)}:${finishedTaskJson(task)}`),
        )
        for (const [at, head] of heads.entries())
          assert.ok(texts[at]!.startsWith(head.replace(/\uFFFD+$/, '')))
      }),
    )
  })

  it('take few bytes for tasks that are like the one before', () => {
    const { graph, ...outcome } = ended(
      accepted('a'),
      envelope({ outputJson: JSON.stringify('x'.repeat(300)) }),
    )
    const tasks = Array.from({ length: 2000 }, (_, at) => ({ ...outcome, graph, id: `task-${at}` }))
    const { texts, sizes } = packed(tasks)
    assert.deepEqual(texts, tasks.map(finishedTaskJson))
    assert.ok(sizes.reduce((sum, size) => sum + size) < 2000 * 40)
    assert.ok(sizes.length > 1 && Math.max(...sizes) < 34_000)
  })

  it('say that they are damaged where a text refers to what is not before it', () => {
    for (const text of [
      '@0,5,"a"',
      '@1,200,"a"',
      '@x,1,"a"',
      '@1,x,"a"',
      '@1,-1,"a"',
      '@1,5',
      '@1',
      '@,,',
      '@',
    ])
      for (const read of [textIn, writeMember.bind(null, new Piece())])
        assert.throws(() => read(Buffer.from(`{"id":"a"}${text}`), 10, text.length), /damaged/, text)
    assert.throws(() => writeMember(new Piece(), Buffer.from('{"id":"a\\"'), 0, 10), /damaged/)
  })
})
