/**
 * What does it cost to make tasks of a checked graph of 100?
 *
 * Much more than 0.2 µs a task: a Task has a field too many, or its shape is not built in one go.
 */
import type { Bench } from 'tinybench'
import { layered } from './load/graphs.ts'
import { type Question, built } from './micro.ts'

export const acceptance: Question = {
  name: 'acceptance',
  async ask(bench: Bench) {
    const { parseGraph } = await built<typeof import('../src/api/schemas.ts')>('src/api/schemas')
    const { planGraph } = await built<typeof import('../src/domain/graph.ts')>('src/domain/graph')
    const { DEFAULT_LIMITS } = await built<typeof import('../src/domain/limits.ts')>('src/domain/limits')
    const { Keys, acceptPlan } =
      await built<typeof import('../src/scheduler/accept.ts')>('src/scheduler/accept')
    const submitted = parseGraph(JSON.parse(layered('t', 10, 10)))
    if (!submitted.ok) throw new Error(submitted.problem.message)
    const planned = planGraph(submitted.value.tasks, DEFAULT_LIMITS)
    if (!planned.ok) throw new Error(planned.problem.message)
    const keys = new Keys()
    const nowMs = Date.now()
    bench
      .add('acceptPlan, graph of 100', () => {
        acceptPlan(planned.value, keys, nowMs, false)
      })
      .add('planGraph and acceptPlan', () => {
        const plan = planGraph(submitted.value.tasks, DEFAULT_LIMITS)
        if (plan.ok) acceptPlan(plan.value, keys, nowMs, false)
      })
  },
}
