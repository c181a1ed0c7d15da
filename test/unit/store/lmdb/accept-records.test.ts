import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Graph, newGraph } from '../../../../src/domain/graph-record.ts'
import { RUN_IFS, type Task } from '../../../../src/domain/task.ts'
import { decodeParts, decodeTask, writePart } from '../../../../src/store/lmdb/accept-records.ts'
import { accepted, graphOf } from '../../../support/tasks.ts'

const written = (graph: Graph, tasks: readonly Task[], isRevival: boolean): string => {
  let text = ''
  writePart({ write: (piece) => (text += piece) }, graph, tasks, isRevival)
  return text
}

const readBack = (text: string, graph: Graph): Task[] => {
  const [part] = decodeParts(`[${text}]`)
  return part!.t.map((_, place) => decodeTask(part!, place, graph))
}

const object = fc.constantFrom('', '{}', '{"a":[1,"é\\u0000"]}')
const tasks = fc.array(
  fc.record({
    id: fc.string(),
    toolName: fc.string(),
    paramsJson: object,
    inputJson: object,
    annotationsJson: object,
    dependsOn: fc.array(fc.string(), { maxLength: 3 }),
    // Mostly what most tasks have: that is left out.
    retry: fc.constantFrom(0, 0, 0, 2),
    timeoutMs: fc.constantFrom(0, 0, 0, 1500),
    priority: fc.constantFrom(5, 5, 5, 0),
    runAtMs: fc.constantFrom(0, 0, 0, 1_800_000_000_123),
    allowFailure: fc.constantFrom(false, false, false, true),
    runIf: fc.constantFrom('success', 'success', ...RUN_IFS),
    attempt: fc.constantFrom(0, 0, 0, 3),
    failures: fc.constantFrom(0, 0, 0, 1),
    outside: fc.constantFrom(null, null, { x: 7, y: 'allowed' } as const),
  }),
  { minLength: 1, maxLength: 5 },
)

describe('accept records', () => {
  it('give back every task as it was written', () => {
    fc.assert(
      fc.property(tasks, fc.boolean(), (given, isRevival) => {
        const made = given.map(({ attempt, failures, outside, ...fields }) =>
          Object.assign(accepted('', { ...fields, type: 'os' }), {
            attempt,
            failures,
            outside: outside === null ? null : new Map(Object.entries(outside)),
          }),
        )
        for (const [at, task] of made.entries())
          Object.assign(task, { id: given[at]!.id, key: made[0]!.key + at })
        const { graph } = graphOf(...made)
        assert.deepEqual(readBack(written(graph, made, isRevival), graph), made)
      }),
    )
  })

  it('take few bytes for a task that has nothing of its own', () => {
    const { graph, tasks } = graphOf(accepted('a'))
    assert.match(written(graph, tasks, false), /"t":\[\["a","os","noop",1,0,0,0,\[\]\]\]\}$/)
  })

  it('are read as they were written before, with every field', () => {
    const graph = newGraph(1, 1, 1_700_000_000_000, false)
    const text =
      '{"g":1,"n":1,"at":1700000000000,"t":[["a","os","noop",1,{"m":1},1,0,["b"],2,9,7,0,1,"always",3,1,"",1700000000001]]}'
    const [task] = readBack(text, graph)
    assert.deepEqual(
      [task!.key, task!.id, task!.paramsJson, task!.inputJson, task!.dependsOn, task!.retry, task!.timeoutMs],
      [1, 'a', '{"m":1}', '{"m":1}', ['b'], 2, 9],
    )
    assert.deepEqual(
      [task!.priority, task!.allowFailure, task!.runIf, task!.attempt, task!.failures, task!.createdMs],
      [7, true, 'always', 3, 1, 1_700_000_000_001],
    )
  })
})
