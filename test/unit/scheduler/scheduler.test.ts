import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { turn } from '../../support/eventually.ts'
import { mockTime, rigOf, startRig } from '../../support/scheduler-rig.ts'
import { chain, planOf, submitted } from '../../support/tasks.ts'

const named = (...ids: readonly string[]) => ids.map((id) => submitted(id))

/** Says when a promise is over. */
const watch = (promise: Promise<unknown>): { isOver: boolean } => {
  const watched = { isOver: false }
  promise.then(
    () => {
      watched.isOver = true
    },
    () => {
      watched.isOver = true
    },
  )
  return watched
}

describe('the scheduler gives slots', () => {
  it('in the order in which tasks became ready, to as many as there are', async (t) => {
    const { executor, submit } = await startRig(t, { slots: 2 })
    await submit(...named('a', 'b', 'c', 'd'))
    await submit(...named('e'))
    assert.deepEqual(executor.pendingIds, ['a', 'b'])
    executor.succeed(executor.ref('b'))
    executor.fail(executor.ref('a'))
    executor.succeed(executor.ref('c'))
    assert.deepEqual(executor.pendingIds, ['d', 'e'])
    assert.deepEqual(executor.beganIds, ['a', 'b', 'c', 'd', 'e'])
    assert.equal(executor.most, 2)
  })

  it('to dependents in the order in which the last of what they wait for succeeded', async (t) => {
    const { executor, submit } = await startRig(t, { slots: 1 })
    await submit(
      submitted('late', { dependsOn: ['b'] }),
      submitted('a'),
      submitted('b'),
      submitted('both', { dependsOn: ['a', 'b'] }),
      submitted('early', { dependsOn: ['a'] }),
      submitted('last'),
    )
    while (executor.pending.size > 0) executor.succeed([...executor.pending.keys()][0]!)
    assert.deepEqual(executor.beganIds, ['a', 'b', 'last', 'early', 'late', 'both'])
    assert.equal(executor.most, 1)
  })

  it('to a task once, though it names a dependency twice', async (t) => {
    const { executor, submit, states } = await startRig(t)
    await submit(submitted('a'), submitted('b', { dependsOn: ['a', 'a'] }))
    executor.succeed(executor.ref('a'))
    executor.succeed(executor.ref('b'))
    assert.deepEqual(executor.beganIds, ['a', 'b'])
    assert.deepEqual(await states('a', 'b'), ['a: success', 'b: success'])
  })

  it('to hundreds at once, in one batch', async (t) => {
    const { executor, submit } = await startRig(t, { slots: 300 })
    const ids = Array.from({ length: 1000 }, (_, at) => `t${at}`)
    await submit(...named(...ids))
    assert.equal(executor.pending.size, 300)
    while (executor.pending.size > 0)
      executor.report([...executor.pending.keys()].map((ref) => executor.success(ref)))
    assert.deepEqual(executor.beganIds, ids)
    assert.equal(executor.most, 300)
  })

  it('with what the tool reads, and which attempt it is', async (t) => {
    const { executor, submit } = await startRig(t)
    await submit(
      submitted('a', { type: 'shell', paramsJson: '{"command":"ls"}' }),
      submitted('b', { type: 'mcp', toolName: 'x', inputJson: '{"i":1}', paramsJson: '{"p":1}' }),
    )
    const [a, b] = executor.begun
    assert.deepEqual(a, {
      ref: 0,
      taskId: 'a',
      graphKey: 1,
      isInstant: false,
      category: 'os',
      toolName: 'shell',
      inputJson: '{"command":"ls"}',
      attempt: 1,
      handleId: '',
      traceparent: '',
    })
    assert.deepEqual([b!.category, b!.toolName, b!.inputJson], ['mcp', 'x', '{"i":1}'])
    assert.match(b!.handleId, /^mcp-\d+$/)
  })

  it('and drops what is told of a slot that nothing holds', async (t) => {
    const { executor, submit, states } = await startRig(t)
    await submit(submitted('a'))
    const outcome = executor.success(executor.ref('a'))
    executor.report([outcome])
    executor.reportAnyway([outcome, { ...outcome, ref: 99 }])
    executor.lose([], -1)
    executor.progress(0, 'late')
    assert.deepEqual(await states('a'), ['a: success'])
  })
})

describe('a task', () => {
  it('is pending, then running, then what came of it', async (t) => {
    const { executor, submit, get, pass } = await startRig(t, { slots: 1 })
    await submit(...named('a', 'b'))
    assert.equal((await get('b')).status, 'pending')
    assert.equal((await get('a')).status, 'running')
    await pass(5)
    const outcome = { ...executor.success(executor.ref('a'), { n: 1 }), startedMs: 1_775_211_263_806 }
    executor.report([outcome])
    const task = await get('a')
    assert.equal(task.status, 'success')
    assert.deepEqual(task.result, { n: 1 })
    assert.deepEqual(
      [task.runtime.attempt, task.runtime.duration_ms, task.runtime.finished_at],
      [1, 4, '2026-04-03T10:14:23.810Z'],
    )
    assert.equal(task.updated_at, '2026-04-03T10:14:23.810Z')
    assert.equal(task.created_at, '2026-04-03T10:14:23.805Z')
  })

  it('of mcp tells its progress, with lines of its tool', async (t) => {
    const { executor, submit, get } = await startRig(t)
    await submit(submitted('a', { type: 'mcp' }), submitted('b', { type: 'mcp' }))
    executor.progress(executor.ref('a'), 'half way')
    assert.equal((await get('a')).progress.length, 3)
    executor.succeed(executor.ref('a'))
    executor.fail(executor.ref('b'))
    const lines = async (id: string) =>
      (await get(id)).progress.map((line: { message: string }) => line.message)
    assert.deepEqual(await lines('a'), ['task accepted', 'task started', 'half way', 'task completed'])
    assert.deepEqual(await lines('b'), ['task accepted', 'task started', 'task failed'])
  })

  it('keeps a bounded number of lines of progress', async (t) => {
    const { executor, submit, get } = await startRig(t)
    await submit(submitted('a', { type: 'mcp' }))
    for (let line = 0; line < 1000; line++) executor.progress(executor.ref('a'), `${line}`)
    const { progress } = await get('a')
    assert.ok(progress.length <= 101)
    assert.equal(progress.at(-1).message, '999')
  })

  it('is counted', async (t) => {
    const { executor, scheduler, submit } = await startRig(t, { slots: 2 })
    await submit(
      submitted('a'),
      submitted('b', { type: 'mcp' }),
      submitted('c', { dependsOn: ['b'] }),
      submitted('d', { type: 'cli-skills' }),
    )
    assert.equal(scheduler.metrics().tasks_running, 2)
    executor.succeed(executor.ref('a'))
    executor.fail(executor.ref('b'))
    assert.deepEqual(scheduler.metrics(), {
      tasks_total: 4,
      tasks_running: 1,
      tasks_succeeded: 1,
      tasks_failed: 2,
      by_type: { 'cli-skills': 1, mcp: 1, os: 2 },
    })
  })
})

describe('a failed attempt', () => {
  it('is followed by another 100 ms · 2^(n-2) later, 10 s at most', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    await submit(submitted('a', { retry: 9 }))
    const waits = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
    for (const [at, wait] of waits.entries()) {
      executor.fail(executor.ref('a'))
      assert.equal((await get('a')).status, 'running')
      await pass(wait - 1)
      assert.equal(executor.pending.size, 0, `attempt ${at + 2} began too early`)
      await pass(1)
      assert.equal(executor.pending.get(executor.ref('a'))!.attempt, at + 2)
    }
    executor.fail(executor.ref('a'), { message: 'at last' })
    const task = await get('a')
    assert.deepEqual([task.status, task.error, task.runtime.attempt], ['failed', 'at last', 10])
  })

  it('holds no slot while it waits, and takes its place behind those that are ready', async (t) => {
    const { executor, submit, pass } = await startRig(t, { slots: 1 })
    await submit(submitted('a', { retry: 1 }), submitted('b'), submitted('c'))
    executor.fail(executor.ref('a'))
    assert.deepEqual(executor.pendingIds, ['b'])
    await pass(100)
    assert.deepEqual(executor.pendingIds, ['b'])
    executor.succeed(executor.ref('b'))
    executor.succeed(executor.ref('c'))
    assert.deepEqual(executor.pendingIds, ['a'])
    executor.succeed(executor.ref('a'))
    assert.deepEqual(executor.beganIds, ['a', 'b', 'c', 'a'])
  })

  it('leaves no trace once another succeeded', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    await submit(submitted('a', { retry: 1 }))
    executor.fail(executor.ref('a'))
    await pass(100)
    executor.succeed(executor.ref('a'))
    const task = await get('a')
    assert.deepEqual([task.status, task.error, task.runtime.error], ['success', undefined, undefined])
    assert.equal(task.runtime.attempt, 2)
  })

  it('is not tried again where it is a refusal', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    await submit(submitted('a', { retry: 5 }), submitted('b', { retry: 5 }))
    executor.fail(executor.ref('a'), { message: 'url is required', isFinal: true })
    executor.fail(executor.ref('b'))
    await pass(100)
    executor.fail(executor.ref('b'), { message: 'gone', isFinal: true })
    await pass(60_000)
    assert.equal((await get('a')).error, 'url is required')
    assert.equal((await get('a')).runtime.attempt, 1)
    assert.equal((await get('b')).runtime.attempt, 2)
    assert.equal(executor.begun.length, 3)
  })

  it('keeps the output that its tool made', async (t) => {
    const { executor, submit, get } = await startRig(t)
    await submit(submitted('a'))
    executor.fail(executor.ref('a'), { outputJson: '{"exit_code":2}', retryable: true })
    const task = await get('a')
    assert.deepEqual(task.result, { exit_code: 2 })
    assert.deepEqual(task.runtime.error, {
      code: 'external_failure',
      message: 'it failed',
      retryable: true,
      source: 'executor',
    })
  })

  it('is followed by what is due at the same moment, each once', async (t) => {
    const { executor, submit, pass } = await startRig(t)
    await submit(submitted('a', { retry: 1 }), submitted('b', { retry: 1 }), submitted('c', { retry: 1 }))
    executor.report([...executor.pending.keys()].map((ref) => executor.failure(ref)))
    await pass(100)
    assert.deepEqual(executor.pendingIds.sort(), ['a', 'b', 'c'])
    assert.equal(executor.begun.length, 6)
  })
})

describe('the dependents of a task that failed', () => {
  it('are skipped, and theirs, each by the dependency that decided it', async (t) => {
    const { executor, submit, states, store } = await startRig(t)
    await submit(
      submitted('d', { dependsOn: ['b', 'c'] }),
      submitted('a'),
      submitted('b', { dependsOn: ['a'] }),
      submitted('c', { dependsOn: ['a'] }),
      submitted('other'),
      submitted('mixed', { dependsOn: ['other', 'a'] }),
    )
    executor.fail(executor.ref('a'))
    assert.deepEqual(await states('a', 'b', 'c', 'd', 'mixed', 'other'), [
      'a: failed it failed',
      'b: skipped dependency a failed',
      'c: skipped dependency a failed',
      'd: skipped dependency b skipped',
      'mixed: skipped dependency a failed',
      'other: running',
    ])
    executor.succeed(executor.ref('other'))
    assert.deepEqual(await states('mixed'), ['mixed: skipped dependency a failed'])
    assert.deepEqual(store.endedIds, ['a', 'b', 'c', 'mixed', 'd', 'other'])
    assert.deepEqual(executor.beganIds, ['a', 'other'])
  })

  it('name the one that failed first of several', async (t) => {
    const { executor, submit, states } = await startRig(t)
    await submit(
      submitted('a'),
      submitted('b'),
      submitted('after-a', { dependsOn: ['a'] }),
      submitted('one', { dependsOn: ['a', 'b'] }),
      submitted('two', { dependsOn: ['after-a', 'b'] }),
    )
    executor.report([executor.failure(executor.ref('b')), executor.failure(executor.ref('a'))])
    assert.deepEqual(await states('one', 'two', 'after-a'), [
      'one: skipped dependency b failed',
      'two: skipped dependency b failed',
      'after-a: skipped dependency a failed',
    ])
  })

  it('wait while it may be tried again', async (t) => {
    const { executor, submit, pass, states } = await startRig(t)
    await submit(submitted('a', { retry: 1 }), submitted('b', { dependsOn: ['a'] }))
    executor.fail(executor.ref('a'))
    assert.deepEqual(await states('a', 'b'), ['a: running', 'b: pending'])
    await pass(100)
    executor.succeed(executor.ref('a'))
    executor.succeed(executor.ref('b'))
    assert.deepEqual(await states('a', 'b'), ['a: success', 'b: success'])
  })

  it('are skipped in a chain of 100,000', async (t) => {
    const { executor, submit, states, scheduler } = await startRig(t)
    await submit(...chain(100_000))
    executor.fail(executor.ref('t0'))
    assert.deepEqual(await states('t1', 't2', 't99999'), [
      't1: skipped dependency t0 failed',
      't2: skipped dependency t1 skipped',
      't99999: skipped dependency t99998 skipped',
    ])
    assert.equal(scheduler.metrics().tasks_failed, 100_000)
  })

  it('are released in a fan-out of 50,000', async (t) => {
    const { executor, submit, scheduler } = await startRig(t, { slots: 1000 })
    const leaves = Array.from({ length: 50_000 }, (_, at) => submitted(`l${at}`, { dependsOn: ['root'] }))
    await submit(submitted('root'), ...leaves)
    while (executor.pending.size > 0)
      executor.report([...executor.pending.keys()].map((ref) => executor.success(ref)))
    assert.equal(scheduler.metrics().tasks_succeeded, 50_001)
    assert.equal(executor.most, 1000)
  })
})

describe('a timeout', () => {
  it('stops an attempt, with the grace that was set', async (t) => {
    const { executor, submit, pass, get } = await startRig(t, { graceMs: 1234 })
    await submit(submitted('a', { timeoutMs: 100 }), submitted('b'))
    await pass(99)
    assert.equal(executor.aborts.length, 0)
    await pass(1)
    assert.deepEqual(executor.aborts, [
      { ref: 0, taskId: 'a', graceMs: 1234, reason: 'context deadline exceeded' },
    ])
    const task = await get('a')
    assert.deepEqual([task.status, task.error], ['failed', 'context deadline exceeded'])
    assert.deepEqual(task.runtime.error, {
      code: 'timeout',
      message: 'context deadline exceeded',
      retryable: true,
      source: 'scheduler',
    })
    assert.deepEqual(executor.pendingIds, ['b'])
  })

  it('is for one attempt, each of which has it anew', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    await submit(submitted('a', { timeoutMs: 100, retry: 1 }))
    await pass(100)
    assert.equal(executor.pending.size, 0)
    await pass(100)
    assert.equal(executor.begun.length, 2)
    await pass(99)
    assert.equal(executor.aborts.length, 1)
    await pass(1)
    assert.equal(executor.aborts.length, 2)
    assert.equal((await get('a')).runtime.attempt, 2)
    assert.equal((await get('a')).status, 'failed')
  })

  it('does not reach the next attempt in that slot', async (t) => {
    const { executor, submit, pass } = await startRig(t, { slots: 1 })
    await submit(submitted('a', { timeoutMs: 100 }), submitted('b'), submitted('c', { timeoutMs: 100 }))
    await pass(50)
    executor.succeed(executor.ref('a'))
    await pass(500)
    assert.deepEqual(executor.pendingIds, ['b'])
    executor.succeed(executor.ref('b'))
    await pass(99)
    assert.equal(executor.aborts.length, 0)
    await pass(1)
    assert.deepEqual(
      executor.aborts.map((abort) => abort.taskId),
      ['c'],
    )
  })

  it('that comes too late changes nothing: the attempt had succeeded', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a', { timeoutMs: 100 }))
    await pass(100)
    assert.equal(executor.aborts.length, 1)
    executor.succeed(executor.ref('a'))
    assert.equal((await get('a')).status, 'success')
  })

  it('counts by the time that the attempt took, where its end is told before the clock is looked at', async (t) => {
    const { executor, submit, get } = await startRig(t)
    await submit(submitted('late', { timeoutMs: 100 }), submitted('just', { timeoutMs: 100 }))
    for (const [id, tookMs] of [
      ['late', 102],
      ['just', 100],
    ] as const)
      executor.report([{ ...executor.success(executor.ref(id)), ranMs: tookMs }])
    const late = await get('late')
    assert.deepEqual([late.status, late.error], ['failed', 'context deadline exceeded'])
    assert.deepEqual([late.runtime.error.code, late.runtime.error.source], ['timeout', 'scheduler'])
    assert.equal((await get('just')).status, 'success')
    assert.deepEqual(executor.aborts, [])
  })

  it('stands where a stop comes after it: the first cause wins', async (t) => {
    const { executor, scheduler, submit, pass, get } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a', { timeoutMs: 100 }))
    await pass(100)
    const stopped = scheduler.stop(50)
    await pass(50)
    assert.deepEqual(
      executor.aborts.map(({ graceMs, reason }) => [graceMs, reason]),
      [
        [5000, 'context deadline exceeded'],
        [0, 'context deadline exceeded'],
      ],
    )
    executor.report([executor.aborted(executor.ref('a'))])
    await stopped
    assert.equal((await get('a')).error, 'context deadline exceeded')
  })

  it('says what the tool was doing, where the tool says so', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a', { timeoutMs: 100 }))
    await pass(100)
    executor.report([executor.aborted(executor.ref('a'), 'http request failed: context deadline exceeded')])
    const task = await get('a')
    assert.equal(task.error, 'http request failed: context deadline exceeded')
    assert.equal(task.runtime.error.code, 'timeout')
  })
})

describe('an id that is submitted again', () => {
  it('is a new record; what the old run reports is dropped', async (t) => {
    const { executor, submit, get, states } = await startRig(t)
    await submit(submitted('a', { paramsJson: '{"run":1}' }), submitted('b', { dependsOn: ['a'] }))
    const old = executor.ref('a')
    await submit(submitted('a', { paramsJson: '{"run":2}' }))
    assert.deepEqual(
      executor.aborts.map(({ ref }) => ref),
      [old],
    )
    await turn()
    const young = executor.ref('a')
    assert.deepEqual(await states('a'), ['a: running'])
    // What waited for the old run is decided by the old run.
    assert.deepEqual(await states('b'), ['b: skipped dependency a failed'])
    executor.succeed(young, { from: 'young' })
    assert.deepEqual((await get('a')).result, { from: 'young' })
    assert.deepEqual((await get('a')).params, { run: 2 })
  })

  it('begins when the old run has ended, whatever that came to', async (t) => {
    mockTime(t)
    for (const end of ['success', 'failure', 'aborted'] as const) {
      const { scheduler, executor, submit, get, states } = await rigOf(t)
      await scheduler.start()
      executor.answersAborts = false
      await submit(submitted('a', { retry: 3 }))
      await submit(submitted('a'), submitted('b', { dependsOn: ['a'] }))
      assert.deepEqual([executor.beganIds, await states('a')], [['a'], ['a: pending']])
      executor.report([executor[end](executor.ref('a'))])
      assert.deepEqual([executor.beganIds, await states('a')], [['a', 'a'], ['a: running']])
      executor.succeed(executor.ref('a'), { from: 'young' })
      assert.deepEqual((await get('a')).result, { from: 'young' })
      assert.deepEqual(executor.pendingIds, ['b'])
    }
  })

  it('waits for the old run and for what it depends on', async (t) => {
    const { executor, submit } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a'))
    const old = executor.ref('a')
    await submit(submitted('x'), submitted('a', { dependsOn: ['x'] }))
    executor.succeed(executor.ref('x'))
    assert.deepEqual(executor.beganIds, ['a', 'x'])
    executor.report([executor.aborted(old)])
    assert.deepEqual(executor.beganIds, ['a', 'x', 'a'])
  })

  it('goes by its own dependencies, not by the old run', async (t) => {
    const { executor, submit, states } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a'), submitted('b'))
    const [a, b] = [executor.ref('a'), executor.ref('b')]
    await submit(
      submitted('x'),
      submitted('a', { dependsOn: ['x'], runIf: 'failure' }),
      submitted('b', { dependsOn: ['x'] }),
    )
    executor.report([executor.aborted(a)])
    executor.fail(executor.ref('x'))
    assert.deepEqual(executor.pendingIds, ['b', 'a'])
    executor.report([executor.aborted(b)])
    assert.deepEqual(await states('b'), ['b: skipped dependency x failed'])
  })

  it('may be replaced and cancelled while it waits for the old run', async (t) => {
    const { executor, scheduler, submit, states } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a'))
    const old = executor.ref('a')
    await submit(submitted('a', { paramsJson: '{"run":2}' }))
    await submit(submitted('a', { paramsJson: '{"run":3}' }))
    assert.equal(executor.aborts.length, 1)
    executor.report([executor.aborted(old)])
    assert.deepEqual(
      executor.begun.map(({ inputJson }) => inputJson),
      ['', '{"run":3}'],
    )
    await submit(submitted('a'))
    assert.ok((await scheduler.cancel('a')).ok)
    assert.deepEqual(await states('a'), ['a: failed context canceled'])
    executor.report([executor.aborted(executor.ref('a'))])
    assert.equal(executor.begun.length, 2)
  })

  it('runs anew once it was over', async (t) => {
    const { executor, submit, states } = await startRig(t)
    await submit(submitted('a'))
    executor.fail(executor.ref('a'))
    await submit(submitted('a'))
    assert.deepEqual(await states('a'), ['a: running'])
    executor.succeed(executor.ref('a'))
    assert.deepEqual(await states('a'), ['a: success'])
  })

  it('drops a skip of the old run too', async (t) => {
    const { executor, submit, states } = await startRig(t)
    await submit(submitted('a'), submitted('b', { dependsOn: ['a'] }))
    await submit(submitted('b'))
    executor.fail(executor.ref('a'))
    assert.deepEqual(await states('b'), ['b: running'])
    executor.succeed(executor.ref('b'))
    assert.deepEqual(await states('b'), ['b: success'])
    assert.deepEqual(executor.beganIds, ['a', 'b'])
  })
})

describe('a task whose record was deleted', () => {
  it('runs on and releases its dependents; its outcome brings no record back', async (t) => {
    const { executor, scheduler, submit, states } = await startRig(t)
    await submit(submitted('a'), submitted('b', { dependsOn: ['a'] }))
    assert.ok((await scheduler.remove('a')).ok)
    assert.ok(!(await scheduler.remove('a')).ok)
    assert.equal(executor.aborts.length, 0)
    executor.succeed(executor.ref('a'))
    assert.deepEqual(await states('a', 'b'), ['a: none', 'b: running'])
    executor.succeed(executor.ref('b'))
    assert.deepEqual(await states('a', 'b'), ['a: none', 'b: success'])
  })

  it('runs though it had not begun, and skips its dependents where it fails', async (t) => {
    const { executor, scheduler, submit, states } = await startRig(t, { slots: 1 })
    await submit(submitted('first'), submitted('a'), submitted('b', { dependsOn: ['a'] }))
    assert.ok((await scheduler.remove('a')).ok)
    executor.succeed(executor.ref('first'))
    executor.fail(executor.ref('a'))
    assert.deepEqual(await states('a', 'b'), ['a: none', 'b: skipped dependency a failed'])
  })

  it('and was over, is gone', async (t) => {
    const { executor, scheduler, submit } = await startRig(t)
    await submit(submitted('a'))
    executor.succeed(executor.ref('a'))
    assert.ok((await scheduler.remove('a')).ok)
    assert.ok(!(await scheduler.remove('never there')).ok)
  })

  it('skips its dependents over a restart in between', async (t) => {
    const { executor, scheduler, submit, dataDir, stop } = await startRig(t)
    await submit(submitted('a'), submitted('b', { dependsOn: ['a'] }))
    await scheduler.remove('a')
    await stop()
    assert.equal(executor.pending.size, 0)

    const next = await rigOf(t, { dataDir })
    await next.scheduler.start()
    assert.deepEqual(await next.states('a', 'b'), ['a: none', 'b: skipped dependency a deleted'])
    await next.stop()
  })
})

describe('stop', () => {
  it('waits for what runs, and begins nothing more', async (t) => {
    const { executor, scheduler, submit, states, dataDir } = await startRig(t, { slots: 2 })
    await submit(...named('a', 'b', 'c'), submitted('d', { dependsOn: ['a'] }))
    const stopped = scheduler.stop(60_000)
    const watched = watch(stopped)
    executor.succeed(executor.ref('a'))
    await turn()
    assert.equal(watched.isOver, false)
    assert.equal(executor.stops, 0)
    executor.succeed(executor.ref('b'))
    await stopped
    assert.equal(executor.stops, 1)
    assert.deepEqual(executor.beganIds, ['a', 'b'])
    assert.equal(executor.aborts.length, 0)
    assert.deepEqual(await states('a', 'b', 'c', 'd'), [
      'a: success',
      'b: success',
      'c: pending',
      'd: pending',
    ])

    const next = await rigOf(t, { dataDir })
    await next.scheduler.start()
    assert.deepEqual(next.executor.pendingIds, ['c', 'd'])
    await next.stop()
  })

  it('kills at the timeout what still runs, and leaves it for the next start', async (t) => {
    const { executor, scheduler, submit, pass, get, dataDir } = await startRig(t)
    await submit(submitted('a', { retry: 1 }), submitted('b', { dependsOn: ['a'] }))
    executor.fail(executor.ref('a'))
    await pass(100)
    const stopped = scheduler.stop(1000)
    await pass(999)
    assert.equal(executor.aborts.length, 0)
    await pass(1)
    await stopped
    assert.deepEqual(executor.aborts, [{ ref: 0, taskId: 'a', graceMs: 0, reason: 'context canceled' }])
    assert.equal((await get('a')).status, 'running')

    const next = await rigOf(t, { dataDir })
    await next.scheduler.start()
    assert.equal((await next.get('a')).status, 'running')
    assert.deepEqual(
      next.executor.begun.map(({ taskId, attempt }) => [taskId, attempt]),
      [['a', 3]],
    )
    next.executor.succeed(next.executor.ref('a'))
    next.executor.succeed(next.executor.ref('b'))
    assert.deepEqual(await next.states('a', 'b'), ['a: success', 'b: success'])
    await next.stop()
  })

  it('does not wait for ever for what does not die', async (t) => {
    const { executor, scheduler, submit, pass, get } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a'))
    const stopped = scheduler.stop(1000)
    await pass(1000)
    await pass(2000)
    await stopped
    assert.equal(executor.stops, 1)
    assert.equal((await get('a')).status, 'running')
  })

  it('refuses what is submitted meanwhile', async (t) => {
    const { executor, scheduler, submit } = await startRig(t)
    await submit(submitted('a'))
    const stopped = scheduler.stop(1000)
    for (const _ of ['while it stops', 'once it stopped']) {
      const refused = await scheduler.submit({
        plan: planOf([submitted('b')]),
        onConflict: 'replace',
        isRelaxed: false,
      })
      assert.deepEqual(refused, {
        ok: false,
        problem: {
          code: 'unavailable',
          message: 'the daemon is shutting down: submit again after its restart',
        },
      })
      if (executor.pending.size > 0) executor.succeed(executor.ref('a'))
      await stopped
    }
  })

  it('does not wait for retries', async (t) => {
    const { executor, scheduler, submit, states, dataDir } = await startRig(t)
    await submit(submitted('a', { retry: 1 }))
    executor.fail(executor.ref('a'))
    await scheduler.stop(60_000)
    assert.deepEqual(await states('a'), ['a: running'])
    const next = await rigOf(t, { dataDir })
    await next.scheduler.start()
    assert.deepEqual(
      next.executor.begun.map(({ taskId, attempt }) => [taskId, attempt]),
      [['a', 2]],
    )
    next.executor.succeed(next.executor.ref('a'))
    await next.stop()
  })

  it('may come twice, and before the start', async (t) => {
    mockTime(t)
    const { scheduler, executor } = await rigOf(t)
    await scheduler.stop(0)
    await scheduler.stop(0)
    assert.equal(executor.stops, 1)
  })

  it('waits at its second call as at its first', async (t) => {
    const { executor, scheduler, submit } = await startRig(t)
    await submit(submitted('a'))
    const first = scheduler.stop(60_000)
    const second = scheduler.stop(60_000)
    const watched = watch(second)
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    await turn()
    assert.equal(watched.isOver, false)
    executor.succeed(executor.ref('a'))
    await Promise.all([first, second])
    assert.equal(executor.stops, 1)
  })
})

describe('start, after an earlier run', () => {
  it('takes up what was unfinished, oldest first', async (t) => {
    const { executor, submit, pass, stop, dataDir } = await startRig(t, { slots: 1 })
    await submit(submitted('z'))
    await pass(1)
    await submit(submitted('y'), submitted('after', { dependsOn: ['y', 'w'] }), submitted('w'))
    executor.succeed(executor.ref('z'))
    await stop()

    const next = await rigOf(t, { dataDir, slots: 2 })
    await next.scheduler.start()
    assert.deepEqual(next.executor.pendingIds, ['y', 'w'])
    assert.deepEqual(next.scheduler.metrics(), {
      tasks_total: 3,
      tasks_running: 2,
      tasks_succeeded: 0,
      tasks_failed: 0,
      by_type: { os: 3 },
    })
    next.executor.succeed(next.executor.ref('w'))
    next.executor.succeed(next.executor.ref('y'))
    next.executor.succeed(next.executor.ref('after'))
    assert.deepEqual(await next.states('after', 'z'), ['after: success', 'z: success'])
    await next.stop()
  })

  it('skips on what was not skipped yet, and theirs', async (t) => {
    const { executor, store, submit, stop, dataDir } = await startRig(t)
    await submit(
      submitted('a'),
      ...chain(3, {}).map((task) => ({ ...task, dependsOn: ['a', ...task.dependsOn] })),
    )
    await store.commit({ removed: ['a'] }, 'sync')
    await stop()
    assert.equal(executor.pending.size, 0)

    const next = await rigOf(t, { dataDir })
    await next.scheduler.start()
    assert.deepEqual(await next.states('t0', 't1', 't2'), [
      't0: skipped dependency a deleted',
      't1: skipped dependency a deleted',
      't2: skipped dependency a deleted',
    ])
    assert.equal(next.scheduler.metrics().tasks_failed, 3)
    await next.stop()
  })

  it('leaves a task skipped, though what else it waited for succeeds then', async (t) => {
    const { scheduler, submit, stop, dataDir } = await startRig(t)
    await submit(submitted('gone'), submitted('open'), submitted('a', { dependsOn: ['gone', 'open'] }))
    await scheduler.remove('gone')
    await stop()

    const next = await rigOf(t, { dataDir })
    await next.scheduler.start()
    next.executor.succeed(next.executor.ref('open'))
    assert.deepEqual(await next.states('open', 'a'), ['open: success', 'a: skipped dependency gone deleted'])
    assert.deepEqual(next.executor.beganIds, ['open'])
    await next.stop()
  })

  it('gives new records other handles than those that it found', async (t) => {
    const { submit, stop, dataDir, store } = await startRig(t, { slots: 1 })
    await submit(submitted('busy'), submitted('a', { type: 'mcp' }))
    await stop()
    const found = (JSON.parse((await store.get('a'))!) as { handle_id: string }).handle_id

    // Its clock stands at the same time as that of the first run.
    const next = await rigOf(t, { dataDir, slots: 1 })
    await next.scheduler.start()
    await next.submit(submitted('b', { type: 'mcp' }), submitted('c', { type: 'mcp' }))
    const handles = await Promise.all(['a', 'b', 'c'].map(async (id) => (await next.get(id)).handle_id))
    assert.equal(handles[0], found)
    assert.equal(new Set(handles).size, 3, handles.join(' '))
    await next.stop()
  })

  it('refuses a state that it cannot read, before any thread is started', async (t) => {
    const { store, executor, scheduler } = await rigOf(t)
    t.mock.method(store, 'start', () => Promise.reject(new Error('state.json is damaged')))
    await assert.rejects(scheduler.start(), /state\.json is damaged/)
    assert.equal(executor.isStarted, false)
  })
})
