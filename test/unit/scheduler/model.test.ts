/**
 * Any graph, any failures, any order in which attempts end: what comes of it is what a simple model says.
 * The model knows the graph and each task's script, and nothing of how the scheduler does it.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { SubmittedTask } from '../../../src/domain/task.ts'
import { type Rig, mockTime, rigOf } from '../../support/scheduler-rig.ts'
import { submitted } from '../../support/tasks.ts'

type Ending = 'succeeds' | 'fails' | 'is refused'

interface Planned {
  readonly task: SubmittedTask
  /** How each attempt ends, from the first; those after the last succeed. */
  readonly script: readonly Ending[]
}

/** What one attempt after another comes to, as long as one follows. */
interface Predicted {
  readonly status: 'success' | 'failed' | 'skipped'
  readonly attempts: number
  /** `null` where it depends on the order in which things ended. */
  readonly error: string | null
}

const endingOf = ({ script }: Planned, attempt: number): Ending => script[attempt - 1] ?? 'succeeds'
const messageOf = (id: string, attempt: number): string => `${id}: attempt ${attempt} failed`

/** The states in which a graph must end, whatever the order. */
const predict = (graph: readonly Planned[]): Map<string, Predicted> => {
  const predicted = new Map<string, Predicted>()
  const statusOf = (id: string): string => predicted.get(id)?.status ?? 'open'
  while (predicted.size < graph.length) {
    for (const planned of graph) {
      const { id, dependsOn, retry } = planned.task
      if (predicted.has(id)) continue
      if (dependsOn.some((name) => ['failed', 'skipped'].includes(statusOf(name)))) {
        predicted.set(id, { status: 'skipped', attempts: 0, error: null })
      } else if (dependsOn.every((name) => statusOf(name) === 'success')) {
        let attempts = 1
        while (endingOf(planned, attempts) === 'fails' && attempts <= retry) attempts++
        const isGood = endingOf(planned, attempts) === 'succeeds'
        predicted.set(id, {
          status: isGood ? 'success' : 'failed',
          attempts,
          error: isGood ? '' : messageOf(id, attempts),
        })
      }
    }
  }
  return predicted
}

/** Up to 40 tasks, each of which depends on some of those before it, submitted in any order. */
const graphs = fc
  .array(
    fc.record({
      dependencies: fc.array(fc.nat(), { maxLength: 4 }),
      retry: fc.nat(3),
      script: fc.array(
        fc.oneof(
          { weight: 5, arbitrary: fc.constant<Ending>('succeeds') },
          { weight: 3, arbitrary: fc.constant<Ending>('fails') },
          { weight: 1, arbitrary: fc.constant<Ending>('is refused') },
        ),
        { maxLength: 4 },
      ),
      place: fc.nat(),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((drawn) =>
    drawn
      .map(({ dependencies, retry, script, place }, at): Planned & { place: number } => ({
        task: submitted(`t${at}`, {
          retry,
          dependsOn: at === 0 ? [] : dependencies.map((number) => `t${number % at}`),
        }),
        script,
        place,
      }))
      .sort((a, b) => a.place - b.place),
  )

/** Which attempts end next, in what groups, and when time passes. */
const choices = fc.array(fc.nat(), { minLength: 1, maxLength: 60 })

const LONGEST_DELAY_MS = 10_000

/** Ends attempts as `choices` say until nothing is left; checks at each step that the slots are used, and not overused. */
const play = async (
  rig: Rig,
  graph: readonly Planned[],
  chosen: readonly number[],
  slots: number,
): Promise<void> => {
  const { executor } = rig
  const planned = new Map(graph.map((each) => [each.task.id, each]))
  const predicted = predict(graph)
  const succeeded = new Set<string>()
  const over = new Set<string>()
  /** Failed, and to be tried again at a time. */
  const waiting = new Map<string, number>()
  let nowMs = 0
  let at = 0
  const choose = (count: number): number => chosen[at++ % chosen.length]! % count

  const runnable = (): number =>
    graph.filter(
      ({ task }) =>
        !over.has(task.id) && !waiting.has(task.id) && task.dependsOn.every((name) => succeeded.has(name)),
    ).length

  const pass = async (ms: number): Promise<void> => {
    nowMs += ms
    await rig.pass(ms)
    for (const [id, dueMs] of waiting) if (dueMs <= nowMs) waiting.delete(id)
  }

  for (let steps = 0; executor.pending.size > 0 || waiting.size > 0; steps++) {
    assert.ok(steps < 1000, 'it does not come to an end')
    assert.equal(executor.pending.size, Math.min(slots, runnable()), 'a slot is free and a task is ready')
    if (executor.pending.size === 0) {
      await pass(LONGEST_DELAY_MS)
      continue
    }
    if (choose(4) === 0) await pass(choose(300))
    const refs = [...executor.pending.keys()]
    const outcomes = Array.from({ length: 1 + choose(Math.min(3, refs.length)) }, () => {
      const [ref] = refs.splice(choose(refs.length), 1)
      const { taskId, attempt } = executor.pending.get(ref!)!
      const ending = endingOf(planned.get(taskId)!, attempt)
      if (ending === 'succeeds') {
        succeeded.add(taskId)
        over.add(taskId)
        return executor.success(ref!, { attempt })
      }
      if (attempt < predicted.get(taskId)!.attempts) waiting.set(taskId, nowMs + 100 * 2 ** (attempt - 1))
      else over.add(taskId)
      return executor.failure(ref!, {
        message: messageOf(taskId, attempt),
        isFinal: ending === 'is refused',
      })
    })
    executor.report(outcomes)
  }
}

const check = async (rig: Rig, graph: readonly Planned[]): Promise<void> => {
  const predicted = predict(graph)
  const { endedIds } = rig.store
  assert.deepEqual([...endedIds].sort(), [...predicted.keys()].sort(), 'each task ends once')
  const begun = new Map<string, number>()
  for (const { taskId, attempt } of rig.executor.begun) {
    assert.equal(attempt, (begun.get(taskId) ?? 0) + 1, taskId)
    begun.set(taskId, attempt)
  }
  for (const { task } of graph) {
    const { status, attempts, error } = predicted.get(task.id)!
    const found = await rig.get(task.id)
    assert.equal(found.status, status, task.id)
    assert.equal(begun.get(task.id) ?? 0, attempts, task.id)
    assert.equal(found.runtime?.attempt ?? 0, attempts, task.id)
    assert.deepEqual(found.result, status === 'success' ? { attempt: attempts } : undefined, task.id)
    if (error !== null) {
      assert.equal(found.error ?? '', error, task.id)
      continue
    }
    // Of the dependencies that ended badly, the one that did so first.
    const culprit = endedIds.find(
      (id) => task.dependsOn.includes(id) && predicted.get(id)!.status !== 'success',
    )!
    assert.equal(found.error, `dependency ${culprit} ${predicted.get(culprit)!.status}`, task.id)
    assert.ok(endedIds.indexOf(culprit) < endedIds.indexOf(task.id))
  }
  const count = (...statuses: string[]) =>
    [...predicted.values()].filter(({ status }) => statuses.includes(status)).length
  assert.deepEqual(rig.scheduler.metrics(), {
    tasks_total: graph.length,
    tasks_running: 0,
    tasks_succeeded: count('success'),
    tasks_failed: count('failed', 'skipped'),
    by_type: { os: graph.length },
  })
}

describe('any graph', () => {
  it('ends as the model says, and never runs more attempts at once than there are slots', async (t) => {
    mockTime(t)
    await fc.assert(
      fc.asyncProperty(graphs, choices, fc.integer({ min: 1, max: 6 }), async (graph, chosen, slots) => {
        const rig = await rigOf(t, { slots })
        await rig.scheduler.start()
        await rig.submit(...graph.map(({ task }) => task))
        await play(rig, graph, chosen, slots)
        await check(rig, graph)
        assert.ok(rig.executor.most <= slots)
        await rig.scheduler.stop(0)
      }),
      { numRuns: 300 },
    )
  })
})
