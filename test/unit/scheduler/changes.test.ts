/**
 * Graphs that are cancelled, retried, replaced and removed at any moment, in any order, with any conditions: whatever
 * happens, all of it comes to an end, no slot is lost, and each graph's counts say what its records say.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { graphStatus } from '../../../src/domain/graph-record.ts'
import { RUN_IFS, type SubmittedTask } from '../../../src/domain/task.ts'
import { turn } from '../../support/eventually.ts'
import { type Rig, mockTime, rigOf } from '../../support/scheduler-rig.ts'
import { submitted } from '../../support/tasks.ts'

/** Tasks `<prefix><n>`; those of one prefix meet again when another graph of it is submitted. */
const graphs = fc
  .tuple(
    fc.constantFrom('a', 'b'),
    fc.array(
      fc.record({
        dependencies: fc.array(fc.nat(), { maxLength: 3 }),
        allowFailure: fc.boolean(),
        runIf: fc.constantFrom(...RUN_IFS),
        priority: fc.nat(9),
        retry: fc.nat(1),
        delayMs: fc.constantFrom(0, 0, 0, 50),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([prefix, drawn]): SubmittedTask[] =>
    drawn.map(({ dependencies, runIf, ...rest }, at) => {
      const dependsOn = at === 0 ? [] : dependencies.map((number) => `${prefix}${number % at}`)
      return submitted(`${prefix}${at}`, {
        ...rest,
        dependsOn,
        runIf: dependsOn.length === 0 && runIf === 'failure' ? 'always' : runIf,
      })
    }),
  )

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('submit' as const), graph: graphs }) },
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constantFrom('succeed', 'fail', 'cancel', 'cancel graph', 'retry', 'remove', 'remove graph'),
        at: fc.nat(100),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(20, 200) }) },
  ),
  { minLength: 1, maxLength: 30 },
)

type Step = (typeof steps extends fc.Arbitrary<infer S> ? S : never)[number]

const take = async (rig: Rig, step: Step, keys: number[]): Promise<void> => {
  if (step.do === 'submit') {
    keys.push(await rig.submitWith((step as { graph: SubmittedTask[] }).graph))
    return
  }
  if (step.do === 'pass') return rig.pass((step as { ms: number }).ms)
  const { at } = step as { at: number }
  const refs = [...rig.executor.pending.keys()]
  const ref = refs[at % refs.length]
  const id = `${at % 2 === 0 ? 'a' : 'b'}${at % 6}`
  const key = keys[at % keys.length]
  if (step.do === 'succeed' && ref !== undefined) rig.executor.succeed(ref)
  else if (step.do === 'fail' && ref !== undefined) rig.executor.fail(ref)
  else if (step.do === 'cancel') await rig.scheduler.cancel(id)
  else if (step.do === 'remove') await rig.scheduler.remove(id)
  else if (key === undefined) return
  else if (step.do === 'cancel graph') await rig.scheduler.cancelGraph(key)
  else if (step.do === 'retry') await rig.scheduler.retryGraph(key)
  else if (step.do === 'remove graph') await rig.scheduler.removeGraph(key)
  if (at % 3 === 0) await turn()
}

/** Lets everything come to its end. */
const finish = async (rig: Rig): Promise<void> => {
  for (let round = 0; round < 200; round++) {
    await turn()
    const refs = [...rig.executor.pending.keys()]
    if (refs.length > 0) rig.executor.report(refs.map((ref) => rig.executor.success(ref)))
    else if (round % 10 === 9) await rig.pass(10_000)
  }
}

const check = async (rig: Rig, keys: readonly number[]): Promise<void> => {
  assert.equal(rig.executor.pending.size, 0)
  assert.equal(rig.scheduler.metrics().tasks_running, 0)
  const records = new Map<string, any[]>()
  for await (const json of rig.store.list()) {
    const task = JSON.parse(json)
    assert.ok(['success', 'failed', 'skipped'].includes(task.status), json)
    records.set(task.graph_id, [...(records.get(task.graph_id) ?? []), task])
  }
  for (const key of keys) {
    const graph = await rig.store.graph(key)
    if (graph === null) {
      assert.equal(records.get(`g-${key}`), undefined)
      continue
    }
    assert.ok(['success', 'failed'].includes(graphStatus(graph)), JSON.stringify(graph))
    assert.deepEqual([graph.unfinished, graph.counts.running], [0, 0])
    assert.ok(graph.finishedMs >= graph.createdMs)
    const own = records.get(`g-${key}`) ?? []
    const { success, failed, skipped, bad } = graph.counts
    assert.equal(success + failed + skipped, graph.size)
    assert.ok(bad >= 0 && bad <= failed + skipped)
    if (own.length < graph.size) continue
    for (const status of ['success', 'failed', 'skipped'] as const)
      assert.equal(own.filter((task) => task.status === status).length, graph.counts[status])
  }
}

describe('whatever is asked for, in any order', () => {
  it('comes to an end, and is counted right', async (t) => {
    mockTime(t)
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (taken, slots) => {
        const rig = await rigOf(t, { slots })
        await rig.scheduler.start()
        const keys: number[] = []
        for (const step of taken) await take(rig, step, keys)
        await finish(rig)
        await check(rig, keys)
        assert.ok(rig.executor.most <= slots)
        await rig.scheduler.stop(0)
      }),
      { numRuns: 200 },
    )
  })
})
