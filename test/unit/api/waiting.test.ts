import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseWait, waitIn } from '../../../src/api/wait-query.ts'
import { ToolTimes } from '../../../src/api/tool-times.ts'
import type { Task } from '../../../src/domain/task.ts'
import { eventually } from '../../support/eventually.ts'
import { startEdge } from '../../support/service-rig.ts'
import { accepted, submitted } from '../../support/tasks.ts'

const graph = (...ids: readonly string[]) => ({
  tasks: ids.map((id) => submitted(id)),
  onConflict: 'replace' as const,
  durability: null,
})

/** One that waits for a time that does not come. */
const never = (id: string) => ({
  tasks: [submitted(id, { delayMs: 3_600_000 })],
  onConflict: 'replace' as const,
  durability: null,
})

const NOBODY = new AbortController().signal

describe('waiting', () => {
  it('tells five thousand, and leaves none of them behind', async (t) => {
    const { service } = await startEdge(t)
    const { waiting } = service.watchers
    await service.submit(never('a'))
    const gone = new AbortController()
    const told = Array.from({ length: 2500 }, () => waiting.task('a', 60_000, NOBODY))
    const left = Array.from({ length: 2500 }, () => waiting.task('a', 60_000, gone.signal))
    await eventually('they wait', () => waiting.waiters === 5000)
    gone.abort()
    await Promise.all(left)
    assert.equal(waiting.waiters, 2500)
    await service.cancel('a')
    for (const answer of await Promise.all(told)) {
      assert.ok(answer.ok)
      assert.equal(JSON.parse(answer.value).run_status, 'cancelled')
    }
    assert.equal(waiting.waiters, 0)
  })

  it('goes on for a task that took the place of another', async (t) => {
    const { service } = await startEdge(t)
    await service.submit(never('a'))
    const waited = service.watchers.waiting.task('a', 60_000, NOBODY)
    await service.submit(never('a'))
    await service.submit(graph('a'))
    const answer = await waited
    assert.ok(answer.ok)
    assert.equal(JSON.parse(answer.value).status, 'success')
  })

  it('waits for some, for all, and for graphs', async (t) => {
    const { service } = await startEdge(t)
    const { waiting } = service.watchers
    const first = await service.submit(never('a'))
    await service.submit(never('b'))
    const wanted = { taskIds: ['a', 'b'], graphId: '', timeoutMs: 60_000 }
    const any = waiting.tasks({ ...wanted, mode: 'any' }, NOBODY)
    const all = waiting.tasks({ ...wanted, mode: 'all' }, NOBODY)
    const graphId = first.ok ? first.value.answer.graph_id! : ''
    const graphOver = waiting.graph(graphId, 60_000, NOBODY)
    await service.cancel('a')
    const [some, over] = [await any, await graphOver]
    assert.ok(some.ok && some.value.done && over.ok)
    assert.equal(over.value.status, 'failed')
    const late = await waiting.tasks({ ...wanted, mode: 'all', timeoutMs: 20 }, NOBODY)
    assert.ok(late.ok && !late.value.done)
    await service.cancel('b')
    const both = await all
    assert.ok(both.ok && both.value.done)
    assert.equal(waiting.waiters, 0)
  })

  it('ends at a stop, and does not begin again', async (t) => {
    const { service } = await startEdge(t)
    const { watchers } = service
    await service.submit(never('a'))
    const reader = watchers.events.open({ taskId: '', graphId: '', types: [], lastEventId: '' })
    assert.ok(reader.ok)
    const waits = [watchers.waiting.task('a', 60_000, NOBODY), reader.value.next(60_000)]
    watchers.stop()
    const [answer, events] = await Promise.all(waits)
    assert.ok(answer !== null && 'ok' in answer! && answer.ok)
    assert.equal(events, null)
    assert.ok((await watchers.waiting.task('a', 60_000, NOBODY)).ok)
    assert.ok(!watchers.events.open({ taskId: '', graphId: '', types: [], lastEventId: '' }).ok)
    assert.deepEqual([watchers.waiting.waiters, watchers.events.readers], [0, 0])
  })
})

describe('readers of events', () => {
  it('share what they read, each with its own place and filter', async (t) => {
    const { service } = await startEdge(t)
    const { events } = service.watchers
    const open = (query: object) => {
      const reader = events.open({ taskId: '', graphId: '', types: [], lastEventId: '0', ...query })
      assert.ok(reader.ok)
      return reader.value
    }
    const readers = Array.from({ length: 500 }, (_, at) => open(at % 2 === 0 ? {} : { taskId: 't7' }))
    const ids = Array.from({ length: 1000 }, (_, at) => `t${at}`)
    const seen = readers.map(async (reader, at) => {
      const ends: string[] = []
      while (ends.length < (at % 2 === 0 ? 1000 : 1))
        for (const { type, taskId } of (await reader.next(30_000)) ?? [])
          if (type === 'task_succeeded') ends.push(taskId)
      return ends
    })
    await service.submit(graph(...ids))
    for (const [at, ends] of (await Promise.all(seen)).entries())
      assert.deepEqual(ends.sort(), at % 2 === 0 ? ids.toSorted() : ['t7'])
    for (const reader of readers) reader.close()
    assert.equal(events.readers, 0)
  })

  it('know how far they are where nothing happens that they want, and are told in time', async (t) => {
    const { service } = await startEdge(t)
    const reader = service.watchers.events.open({ taskId: 'x', graphId: '', types: [], lastEventId: '' })
    assert.ok(reader.ok)
    assert.equal(reader.value.place, 0)
    let isBusy = true
    const others = (async () => {
      for (let round = 0; isBusy; round++) {
        await service.submit(graph(`other-${round}`))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (let at = 0; at < 3; at++) assert.deepEqual(await reader.value.next(50), [])
    isBusy = false
    await others
    assert.ok(reader.value.place > 0)
    reader.value.close()
  })

  it('hear nothing where nothing happens', async (t) => {
    const { service } = await startEdge(t)
    const reader = service.watchers.events.open({ taskId: '', graphId: '', types: [], lastEventId: '' })
    assert.ok(reader.ok)
    assert.deepEqual(await reader.value.next(20), [])
  })
})

describe('a wait', () => {
  it('is a duration of at most five minutes', () => {
    const ms = (text: string) => {
      const wait = waitIn(text, 'wait')
      return wait.ok ? wait.value : wait.problem.message
    }
    assert.deepEqual([ms('0s'), ms('500ms'), ms('30s'), ms('5m')], [0, 500, 30_000, 300_000])
    assert.equal(ms('301s'), 'wait must be from 0s to 5m')
    for (const text of ['', '5', 's', '1.5s', '-1s', '1h'])
      assert.equal(ms(text), `wait must be a duration like 500ms, 30s or 5m, got ${JSON.stringify(text)}`)
  })

  it('names tasks, or a graph', () => {
    const problem = (value: unknown) => {
      const wait = parseWait(value)
      return wait.ok ? wait.value : wait.problem.message
    }
    assert.deepEqual(problem({ graph_id: 'g-1' }), {
      taskIds: null,
      graphId: 'g-1',
      mode: 'all',
      timeoutMs: 30_000,
    })
    assert.equal(problem({}), 'either task_ids or graph_id is required')
    assert.equal(problem({ task_ids: ['a'], graph_id: 'g-1' }), 'either task_ids or graph_id is required')
    assert.equal(problem([]), 'invalid JSON: expected an object, got an array')
    assert.match(String(problem({ task_ids: [1] })), /^invalid JSON: task_ids\[0\]: expected a string/)
    assert.match(String(problem({ task_ids: new Array(10_001).fill('a') })), /more than 10000/)
  })
})

describe('how long a tool takes', () => {
  const ran = (toolName: string, ms: number): Task =>
    Object.assign(accepted('a', { type: toolName }), {
      phase: 'success',
      type: 'os',
      toolName,
      envelope: { startedMs: 0, finishedMs: ms },
    }) as unknown as Task

  it('is learnt from those that succeeded, in whole seconds', () => {
    const times = new ToolTimes()
    assert.equal(times.retryAfterS(ran('shell', 0)), 1)
    times.onOver(Array.from({ length: 100 }, () => ran('shell', 4200)))
    times.onOver([ran('http', 10)])
    assert.equal(times.retryAfterS(ran('shell', 0)), 5)
    assert.equal(times.retryAfterS(ran('http', 0)), 1)
    times.onOver(Array.from({ length: 100 }, () => ran('shell', 800)))
    assert.equal(times.retryAfterS(ran('shell', 0)), 1)
  })
})
