/**
 * What does it cost to check a graph of 100, beside parsing its JSON?
 *
 * The schemas cost more than JSON.parse: a hand-written check takes valibot's place on the way of POST /tasks.
 * planGraph does: its Map or its cycle check is worth a look first.
 */
import type { Bench } from 'tinybench'
import { layered } from './load/graphs.ts'
import { type Question, built } from './micro.ts'

export const validation: Question = {
  name: 'validation',
  async ask(bench: Bench) {
    const { parseGraph } = await built<typeof import('../src/api/schemas.ts')>('src/api/schemas')
    const { planGraph } = await built<typeof import('../src/domain/graph.ts')>('src/domain/graph')
    const { DEFAULT_LIMITS } = await built<typeof import('../src/domain/limits.ts')>('src/domain/limits')
    const body = layered('t', 10, 10)
    const parsed: unknown = JSON.parse(body)
    const submitted = parseGraph(parsed)
    if (!submitted.ok || !planGraph(submitted.value.tasks, DEFAULT_LIMITS).ok) throw new Error('refused')
    bench
      .add('JSON.parse, graph of 100', () => {
        JSON.parse(body)
      })
      .add('its types and shapes (schemas.ts)', () => {
        parseGraph(parsed)
      })
      .add('its plan (planGraph)', () => {
        planGraph(submitted.value.tasks, DEFAULT_LIMITS)
      })
  },
}
