import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { Backend } from '../../../../src/api/mcp/backend.ts'
import { followGraph } from '../../../../src/api/mcp/follow.ts'
import type { Call } from '../../../../src/api/mcp/tool.ts'
import { type Result, ok, refused } from '../../../../src/domain/errors.ts'

type View = Awaited<ReturnType<Backend['graph']>>
type Counts = readonly [pending: number, running: number, success: number]

const view = ([pending, running, success]: Counts, isOver = false): View =>
  ok({
    graph_id: 'g-1',
    status: isOver ? 'success' : 'running',
    counts: { pending, running, success, failed: 0, skipped: 0 },
    created_at: '',
    ...(isOver ? { finished_at: '' } : {}),
  })

/** Looks at these, one after the other, ten seconds apart; and what it tells. */
const follow = async (
  t: { after(done: () => void): void },
  views: readonly View[],
  timeoutMs = 600_000,
): Promise<{ result: View; told: (readonly [number, number, string])[] }> => {
  let nowMs = 0
  const clock = mock.method(performance, 'now', () => nowMs)
  t.after(() => clock.mock.restore())
  let at = 0
  const graph = async (): Promise<View> => {
    nowMs += 10_001
    return views[Math.min(at++, views.length - 1)]!
  }
  const told: (readonly [number, number, string])[] = []
  const call = {
    backend: { graph, isStopping: false } as unknown as Backend,
    signal: new AbortController().signal,
    progress: (...each: readonly [number, number, string]) => void told.push(each),
  } as unknown as Call
  return { result: await followGraph('g-1', timeoutMs, call), told }
}

test('progress grows each time, also where nothing ends', async (t) => {
  const { result, told } = await follow(t, [
    view([2, 1, 0]),
    view([2, 1, 0]),
    view([2, 1, 0]),
    view([1, 1, 1]),
    view([1, 1, 1]),
    // A record was removed.
    view([1, 1, 0]),
    view([0, 0, 3], true),
  ])
  assert.equal(result.ok && result.value.status, 'success')
  assert.deepEqual(
    told.map(([done]) => done),
    [0, 0.5, 0.75, 1, 1.5],
  )
  assert.deepEqual(told[3], [1, 3, '1 of 3 tasks over, 1 running'])
})

test('at the end of the time the graph is as it is then', async (t) => {
  const { result } = await follow(t, [view([1, 1, 0])], 25_000)
  assert.equal(result.ok && result.value.finished_at, undefined)
})

test('a daemon that does not answer for a while is asked again; another refusal ends it', async (t) => {
  const lost: Result<never> = refused('unavailable', 'lost')
  assert.equal((await follow(t, [lost, view([0, 0, 1], true)])).result.ok, true)
  assert.equal((await follow(t, [lost], 15_000)).result.ok, false)
  assert.equal((await follow(t, [refused('not_found', 'gone'), view([0, 0, 1], true)])).result.ok, false)
})
