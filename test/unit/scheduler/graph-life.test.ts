/** Contract B2 at the scheduler: cancel, retry, conditions, priorities, times, conflicts, and a store that refuses. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { graphStatus } from '../../../src/domain/graph-record.ts'
import { NotSyncedError } from '../../../src/store/store.ts'
import { turn } from '../../support/eventually.ts'
import { rigOf, startRig } from '../../support/scheduler-rig.ts'
import { planOf, submitted } from '../../support/tasks.ts'

describe('cancel', () => {
  it('ends at once what waits, and skips its dependents', async (t) => {
    const { scheduler, executor, submit, pass, states, get } = await startRig(t, { slots: 1 })
    await submit(
      submitted('busy'),
      submitted('ready'),
      submitted('blocked', { dependsOn: ['busy'] }),
      submitted('delayed', { delayMs: 50 }),
      submitted('after', { dependsOn: ['ready'] }),
    )
    for (const id of ['ready', 'blocked', 'delayed']) assert.ok((await scheduler.cancel(id)).ok)
    assert.deepEqual(await states('ready', 'blocked', 'delayed', 'after'), [
      'ready: failed context canceled',
      'blocked: failed context canceled',
      'delayed: failed context canceled',
      'after: skipped dependency ready failed',
    ])
    assert.equal((await get('ready')).run_status, 'cancelled')
    executor.succeed(executor.ref('busy'))
    await pass(1000)
    assert.deepEqual(executor.beganIds, ['busy'])
    const again = await scheduler.cancel('ready')
    assert.ok(!again.ok)
    assert.deepEqual(again.problem, { code: 'conflict', message: 'task ready is over: failed' })
  })

  it('stops what runs, which is not tried again', async (t) => {
    const { scheduler, executor, submit, get } = await startRig(t)
    await submit(submitted('a', { retry: 3 }))
    assert.ok((await scheduler.cancel('a', 7)).ok)
    assert.deepEqual(executor.aborts, [{ ref: 0, taskId: 'a', graceMs: 7, reason: 'context canceled' }])
    const task = await get('a')
    assert.deepEqual([task.status, task.run_status, task.error], ['failed', 'cancelled', 'context canceled'])
  })

  it('comes too late for a success, and second to a timeout', async (t) => {
    const { scheduler, executor, submit, pass, get } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a'), submitted('b', { timeoutMs: 10, retry: 1 }))
    await scheduler.cancel('a')
    executor.succeed(executor.ref('a'))
    await pass(10)
    await scheduler.cancel('b')
    executor.report([executor.aborted(executor.ref('b'))])
    await pass(60_000)
    assert.equal((await get('a')).status, 'success')
    assert.equal((await get('b')).runtime.error.code, 'timeout')
    assert.equal(executor.begun.length, 2)
  })

  it('ends a wait for another attempt', async (t) => {
    const { scheduler, executor, submit, pass, states } = await startRig(t)
    await submit(submitted('a', { retry: 1 }))
    executor.fail(executor.ref('a'))
    await scheduler.cancel('a')
    await pass(60_000)
    assert.deepEqual(await states('a'), ['a: failed context canceled'])
    assert.equal(executor.begun.length, 1)
  })
})

describe('run_if and allow_failure', () => {
  it('decide what runs after a failure', async (t) => {
    const { executor, submit, states, submitWith, store } = await startRig(t)
    await submit(submitted('unrelated'))
    const key = await submitWith([
      submitted('bad', { allowFailure: true }),
      submitted('next', { dependsOn: ['bad'] }),
      submitted('clean-up', { dependsOn: ['next'], runIf: 'always' }),
      submitted('alarm', { dependsOn: ['next'], runIf: 'failure' }),
      submitted('after-alarm', { dependsOn: ['alarm'] }),
    ])
    executor.fail(executor.ref('bad'))
    executor.succeed(executor.ref('next'))
    executor.succeed(executor.ref('clean-up'))
    assert.deepEqual(await states('bad', 'next', 'clean-up', 'alarm', 'after-alarm'), [
      'bad: failed it failed',
      'next: success',
      'clean-up: success',
      'alarm: skipped no dependency failed',
      'after-alarm: skipped dependency alarm skipped',
    ])
    const graph = (await store.graph(key))!
    assert.equal(graphStatus(graph), 'success')
    assert.deepEqual(graph.counts, { running: 0, success: 2, failed: 1, skipped: 2, bad: 0 })
  })

  it('failure waits for all, and runs for one', async (t) => {
    const { executor, submit } = await startRig(t)
    await submit(
      submitted('a'),
      submitted('b'),
      submitted('alarm', { dependsOn: ['a', 'b'], runIf: 'failure' }),
    )
    executor.fail(executor.ref('a'))
    assert.deepEqual(executor.pendingIds, ['b'])
    executor.succeed(executor.ref('b'))
    assert.deepEqual(executor.pendingIds, ['alarm'])
  })
})

describe('a time', () => {
  it('is waited for, also where the wall clock is asked again and again', async (t) => {
    const { executor, submit, pass } = await startRig(t)
    await submit(submitted('a', { delayMs: 150_000 }), submitted('b', { runAtMs: 1 }))
    assert.deepEqual(executor.pendingIds, ['b'])
    for (const ms of [60_000, 60_000, 29_999]) await pass(ms)
    assert.deepEqual(executor.pendingIds, ['b'])
    await pass(1)
    assert.deepEqual(executor.pendingIds, ['b', 'a'])
  })

  it('holds over a restart', async (t) => {
    const { submit, stop, dataDir } = await startRig(t)
    await submit(submitted('a', { delayMs: 1000 }))
    await stop()
    const next = await rigOf(t, { dataDir })
    await next.scheduler.start()
    assert.equal(next.executor.begun.length, 0)
    await next.pass(1000)
    assert.deepEqual(next.executor.beganIds, ['a'])
    await next.stop()
  })
})

describe('a graph', () => {
  it('is retried: what failed or was skipped runs again, attempts go on counting', async (t) => {
    const { scheduler, executor, submitWith, states, store, get } = await startRig(t)
    const key = await submitWith([
      submitted('good'),
      submitted('bad', { dependsOn: ['good'] }),
      submitted('after', { dependsOn: ['bad', 'good'] }),
    ])
    const early = await scheduler.retryGraph(key)
    assert.ok(!early.ok && early.problem.code === 'conflict')
    executor.succeed(executor.ref('good'))
    executor.fail(executor.ref('bad'))
    assert.deepEqual(await states('after'), ['after: skipped dependency bad failed'])
    assert.ok((await scheduler.retryGraph(key)).ok)
    assert.deepEqual(await states('good', 'bad', 'after'), [
      'good: success',
      'bad: running',
      'after: pending',
    ])
    const graph = (await store.graph(key))!
    assert.deepEqual(graph.counts, { running: 1, success: 1, failed: 0, skipped: 0, bad: 0 })
    executor.succeed(executor.ref('bad'))
    executor.succeed(executor.ref('after'))
    assert.deepEqual(await states('bad', 'after'), ['bad: success', 'after: success'])
    assert.equal((await get('bad')).runtime.attempt, 2)
    assert.deepEqual(executor.beganIds, ['good', 'bad', 'bad', 'after'])
    assert.deepEqual([graphStatus(graph), graph.unfinished], ['success', 0])
  })

  it('is retried: attempts go on counting past a retry that skipped them', async (t) => {
    const { scheduler, executor, submitWith, states } = await startRig(t)
    const key = await submitWith([submitted('a'), submitted('b', { dependsOn: ['a'] })])
    executor.succeed(executor.ref('a'))
    executor.fail(executor.ref('b'))
    assert.deepEqual(await states('b'), ['b: failed it failed'])
    assert.ok((await scheduler.remove('a')).ok)
    await scheduler.retryGraph(key)
    assert.deepEqual(await states('b'), ['b: skipped dependency a deleted'])
    await submitWith([submitted('a')])
    executor.succeed(executor.ref('a'))
    await states('a')
    await scheduler.retryGraph(key)
    assert.equal(executor.pending.get(executor.ref('b'))!.attempt, 2)
  })

  it('is retried: what it waits for in another graph may end meanwhile', async (t) => {
    const { scheduler, executor, submitWith, states, store } = await startRig(t)
    await submitWith([submitted('other')])
    const key = await submitWith([submitted('other'), submitted('x', { dependsOn: ['other'] })], {
      onConflict: 'ignore',
    })
    executor.succeed(executor.ref('other'))
    await states('x')
    executor.fail(executor.ref('x'))
    await submitWith([submitted('other')])
    const commit = store.commit.bind(store)
    t.mock.method(store, 'commit', async (...given: Parameters<typeof commit>) => {
      if (given[0].revived !== undefined) {
        executor.succeed(executor.ref('other'))
        assert.deepEqual(await states('other'), ['other: success'])
      }
      return commit(...given)
    })
    assert.ok((await scheduler.retryGraph(key)).ok)
    assert.deepEqual(executor.pendingIds, ['x'])
  })

  it('is cancelled with those of its tasks whose records are gone', async (t) => {
    const { scheduler, executor, submitWith, states, store, pass } = await startRig(t, { slots: 1 })
    const key = await submitWith([
      submitted('runs'),
      submitted('ready'),
      submitted('delayed', { delayMs: 50 }),
      submitted('blocked', { dependsOn: ['runs'], runIf: 'always' }),
      submitted('stays', { dependsOn: ['blocked'], runIf: 'always' }),
    ])
    for (const id of ['runs', 'ready', 'delayed', 'blocked']) assert.ok((await scheduler.remove(id)).ok)
    assert.ok((await scheduler.cancelGraph(key)).ok)
    assert.deepEqual(
      executor.aborts.map(({ taskId }) => taskId),
      ['runs'],
    )
    await pass(1000)
    assert.deepEqual(executor.beganIds, ['runs'])
    assert.deepEqual(await states('runs', 'stays'), ['runs: none', 'stays: failed context canceled'])
    const graph = (await store.graph(key))!
    assert.deepEqual([graphStatus(graph), graph.counts.failed, graph.unfinished], ['failed', 5, 0])
  })

  it('is removed once it is over', async (t) => {
    const { scheduler, executor, submitWith, states, store } = await startRig(t)
    const key = await submitWith([submitted('a')])
    assert.ok(!(await scheduler.removeGraph(key)).ok)
    executor.succeed(executor.ref('a'))
    await states('a')
    assert.ok((await scheduler.removeGraph(key)).ok)
    assert.deepEqual(await states('a'), ['a: none'])
    assert.equal(await store.graph(key), null)
  })

  it('is found again after a restart, with its counts', async (t) => {
    const { executor, submitWith, states, stop, dataDir } = await startRig(t)
    const key = await submitWith([submitted('a'), submitted('b', { dependsOn: ['a'] }), submitted('c')])
    executor.fail(executor.ref('a'))
    await states('a')
    await stop()
    const next = await rigOf(t, { dataDir })
    await next.scheduler.start()
    const graph = (await next.store.graph(key))!
    assert.deepEqual(graph.counts, { running: 1, success: 0, failed: 1, skipped: 1, bad: 2 })
    assert.equal(await next.submitWith([submitted('d')]), key + 3)
    await next.stop()
  })
})

describe('on_conflict', () => {
  it('ignore depends on what is there, over or not', async (t) => {
    const { executor, submit, submitWith, states } = await startRig(t)
    await submit(submitted('over'), submitted('open'))
    executor.fail(executor.ref('over'))
    await submitWith(
      [
        submitted('over'),
        submitted('open'),
        submitted('x', { dependsOn: ['over'] }),
        submitted('y', { dependsOn: ['open'] }),
      ],
      { onConflict: 'ignore' },
    )
    assert.deepEqual(await states('x', 'y'), ['x: skipped dependency over failed', 'y: pending'])
    executor.succeed(executor.ref('open'))
    assert.deepEqual(executor.pendingIds, ['y'])
    assert.equal(await submitWith([submitted('over')], { onConflict: 'ignore' }), -1)
  })

  it('reject sees what others submit while it looks, and what of that could not be kept', async (t) => {
    const { scheduler, executor, submit, store, states } = await startRig(t)
    const get = store.get.bind(store)
    const during = async (run: () => Promise<unknown>): Promise<string> => {
      const mock = t.mock.method(store, 'get', async (id: string) => {
        const found = await get(id)
        if (id === 'last') await run()
        return found
      })
      const plan = planOf([submitted('x'), submitted('last')])
      const answer = await scheduler.submit({ plan, onConflict: 'reject', isRelaxed: false })
      mock.mock.restore()
      return answer.ok ? 'accepted' : answer.problem.message
    }
    const conflict = await during(async () => {
      await submit(submitted('x'), submitted('elsewhere'))
      executor.succeed(executor.ref('x'))
      await states('x')
    })
    assert.equal(conflict, 'task ids exist already: x (on_conflict is "reject")')
    await scheduler.remove('x')
    const accepted = await during(async () => {
      store.broken = new Error('no space left on device')
      await assert.rejects(submit(submitted('x')))
      store.broken = null
    })
    assert.equal(accepted, 'accepted')
  })

  it('replace cancels what is under way', async (t) => {
    const { executor, submit, states } = await startRig(t, { slots: 1 })
    await submit(submitted('busy'), submitted('a'), submitted('b', { dependsOn: ['a'] }))
    await submit(submitted('a', { priority: 9 }))
    assert.deepEqual(await states('a', 'b'), ['a: pending', 'b: skipped dependency a failed'])
    executor.succeed(executor.ref('busy'))
    assert.equal(executor.begun.filter(({ taskId }) => taskId === 'a').length, 1)
  })
})

describe('a store that refuses', () => {
  it('an acceptance: nothing of it runs', async (t) => {
    const { executor, scheduler, store, states, submit } = await startRig(t)
    store.broken = new Error('no space left on device')
    await assert.rejects(submit(submitted('a')))
    assert.equal(executor.begun.length, 0)
    store.broken = null
    assert.deepEqual(await states('a'), ['a: none'])
    assert.equal(scheduler.metrics().tasks_total, 0)
  })

  it('outcomes: they are kept later, in their order, and told only then', async (t) => {
    const { executor, store, states, submit, pass, logged } = await startRig(t)
    await submit(submitted('a'), submitted('b', { dependsOn: ['a'] }))
    store.broken = new Error('no space left on device')
    executor.succeed(executor.ref('a'))
    executor.succeed(executor.ref('b'))
    assert.deepEqual(await states('a', 'b'), ['a: running', 'b: running'])
    store.broken = null
    await pass(1000)
    assert.deepEqual(await states('a', 'b'), ['a: success', 'b: success'])
    assert.deepEqual(store.endedIds, ['a', 'b'])
    assert.equal(logged.filter((line) => line.startsWith('outcomes could not be kept')).length, 1)
    assert.equal(logged.filter((line) => line.startsWith('outcomes are kept again')).length, 1)
  })

  it('durability is as the graph asks', async (t) => {
    const { executor, store, states, submitWith } = await startRig(t)
    await submitWith([submitted('a')], { isRelaxed: true })
    executor.succeed(executor.ref('a'))
    await states('a')
    await submitWith([submitted('b')])
    executor.succeed(executor.ref('b'))
    await states('b')
    assert.deepEqual(
      store.commits.map(({ durability }) => durability),
      ['relaxed', 'relaxed', 'sync', 'sync'],
    )
  })
})

describe('what is told of tasks under way', () => {
  for (const error of [new Error('disk full'), new NotSyncedError('it broke')])
    it(`${error.name === 'Error' ? 'waits for a commit that is written' : 'is told once where that was written'}`, async (t) => {
      const rig = await startRig(t)
      await rig.submit(submitted('a', { type: 'shell' }))
      rig.store.broken = error
      await rig.pass(20)
      rig.store.broken = null
      await rig.pass(2000)
      const begins = rig.store.commits.flatMap(({ commit }) => commit.notes ?? []).map(({ type }) => type)
      assert.deepEqual(begins, error.name === 'Error' ? ['task_started', 'task_started'] : ['task_started'])
    })
})

describe('the limit of unfinished tasks', () => {
  it('holds for a graph that is run again too', async (t) => {
    const { scheduler, executor, submit } = await startRig(t, { slots: 4, maxUnfinished: 2 })
    await submit(submitted('a'), submitted('b'))
    for (const id of ['a', 'b']) executor.fail(executor.ref(id))
    await submit(submitted('c'))
    const refused = await scheduler.retryGraph(1)
    assert.ok(!refused.ok)
    assert.deepEqual(refused.problem, {
      code: 'overloaded',
      message:
        '1 tasks are not over, and 2 more would be over the limit of 2: try again when some have ended',
    })
    executor.succeed(executor.ref('c'))
    assert.ok((await scheduler.retryGraph(1)).ok)
  })

  it('holds for graphs that are run again at once, and for what is submitted meanwhile', async (t) => {
    const { scheduler, executor, store, submit } = await startRig(t, { maxUnfinished: 1 })
    for (const id of ['a', 'b']) {
      await submit(submitted(id))
      executor.fail(executor.ref(id))
    }
    let keep = (): void => {}
    store.gate = new Promise((resolve) => (keep = resolve))
    const retries = [1, 2].map((key) => scheduler.retryGraph(key))
    await turn()
    const more = assert.rejects(submit(submitted('c')), /it was refused/)
    keep()
    assert.deepEqual(
      (await Promise.all(retries)).map(({ ok }) => ok),
      [true, false],
    )
    await more
    assert.equal(scheduler.gauges().unfinished, 1)
  })
})
