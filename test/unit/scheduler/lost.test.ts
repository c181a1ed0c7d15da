/** Attempts that end with their worker thread: who is to blame, and which cause of their end stands. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startRig } from '../../support/scheduler-rig.ts'
import { submitted } from '../../support/tasks.ts'

describe('attempts that were lost with their thread', () => {
  it('end the one that blocked it, and the others run again', async (t) => {
    const { executor, submit, states, get, logged } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('guilty', { timeoutMs: 50 }), submitted('innocent', { retry: 0 }), submitted('c'))
    const [guilty, innocent] = [executor.ref('guilty'), executor.ref('innocent')]
    executor.lose([guilty, innocent], guilty)
    assert.deepEqual(await states('guilty', 'innocent', 'c'), [
      'guilty: failed worker thread lost: it did not answer an abort',
      'innocent: running',
      'c: running',
    ])
    assert.deepEqual((await get('guilty')).runtime.error, {
      code: 'internal',
      message: 'worker thread lost: it did not answer an abort',
      retryable: true,
      source: 'scheduler',
    })
    assert.equal(executor.pending.get(executor.ref('innocent'))!.attempt, 2)
    assert.ok(logged.some((line) => line.includes('a worker thread was lost')))
  })

  it('do not use up the retries of those who could do nothing for it', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    await submit(submitted('guilty'), submitted('a', { retry: 1 }))
    executor.lose([...executor.pending.keys()], executor.ref('guilty'))
    executor.fail(executor.ref('a'))
    assert.equal((await get('a')).status, 'running')
    // The first delay: it is the first failure.
    await pass(100)
    executor.succeed(executor.ref('a'))
    assert.deepEqual([(await get('a')).status, (await get('a')).runtime.attempt], ['success', 3])
  })

  it('end by their timeout, where that is why the thread was ended', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('guilty', { timeoutMs: 50 }))
    await pass(50)
    executor.lose([executor.ref('guilty')], executor.ref('guilty'))
    assert.deepEqual(
      [(await get('guilty')).error, (await get('guilty')).runtime.error.code],
      ['context deadline exceeded', 'timeout'],
    )
  })

  it('all fail where the thread died by itself, and may be tried again', async (t) => {
    const { executor, submit, pass, states, get } = await startRig(t)
    await submit(submitted('a'), submitted('b', { retry: 1 }), submitted('c', { dependsOn: ['a'] }))
    executor.lose([...executor.pending.keys()], -1, 'out of memory')
    assert.deepEqual(await states('a', 'b', 'c'), [
      'a: failed worker thread lost: out of memory',
      'b: running',
      'c: skipped dependency a failed',
    ])
    assert.equal((await get('a')).runtime.error.code, 'internal')
    assert.equal((await get('a')).runtime.error.retryable, true)
    await pass(100)
    executor.succeed(executor.ref('b'))
    assert.deepEqual(await states('b'), ['b: success'])
  })

  it('run again behind those that are ready', async (t) => {
    const { executor, submit } = await startRig(t, { slots: 2 })
    await submit(...['guilty', 'a', 'b', 'c'].map((id) => submitted(id)))
    executor.lose([...executor.pending.keys()], executor.ref('guilty'))
    assert.deepEqual(executor.pendingIds, ['b', 'c'])
    executor.succeed(executor.ref('b'))
    assert.deepEqual(executor.pendingIds, ['c', 'a'])
    assert.equal(executor.most, 2)
  })
})

describe('an attempt that is lost', () => {
  it('before its timeout ends as lost, and its timeout never comes', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    await submit(submitted('a', { timeoutMs: 100 }))
    await pass(99)
    executor.lose([executor.ref('a')], -1, 'out of memory')
    await pass(1000)
    assert.equal((await get('a')).runtime.error.code, 'internal')
    assert.deepEqual(executor.aborts, [])
  })

  it('through no fault of its own has its whole time again', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    await submit(submitted('guilty'), submitted('a', { timeoutMs: 100 }))
    await pass(60)
    executor.lose([...executor.pending.keys()], executor.ref('guilty'))
    await pass(99)
    assert.deepEqual(executor.aborts, [])
    await pass(1)
    assert.deepEqual(
      executor.aborts.map(({ taskId, reason }) => [taskId, reason]),
      [['a', 'context deadline exceeded']],
    )
    assert.equal((await get('a')).error, 'context deadline exceeded')
  })

  it('after its timeout has timed out, and may be tried again', async (t) => {
    const { executor, submit, pass, get } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a', { timeoutMs: 50, retry: 1 }))
    await pass(50)
    executor.lose([executor.ref('a')], -1)
    await pass(100)
    assert.equal(executor.pending.get(executor.ref('a'))!.attempt, 2)
    await pass(50)
    executor.lose([executor.ref('a')], -1)
    const { error, runtime } = await get('a')
    assert.deepEqual([error, runtime.attempt], ['context deadline exceeded', 2])
  })

  for (const [whose, culprit] of [
    ['it blocked the thread', 0],
    ['another blocked the thread', 1],
    ['the thread died by itself', -1],
  ] as const) {
    it(`while it is cancelled is cancelled, and not tried again (${whose})`, async (t) => {
      const { executor, scheduler, submit, pass, get, states } = await startRig(t)
      executor.answersAborts = false
      await submit(
        submitted('a', { retry: 3, timeoutMs: 50 }),
        submitted('other', { retry: 1 }),
        submitted('after', { dependsOn: ['a'] }),
      )
      assert.deepEqual([executor.ref('a'), executor.ref('other')], [0, 1])
      assert.ok((await scheduler.cancel('a')).ok)
      // The second cause, which changes nothing.
      await pass(50)
      executor.lose([0, 1], culprit)
      await pass(1000)
      const { status, run_status, error, runtime } = await get('a')
      assert.deepEqual([status, run_status, error], ['failed', 'cancelled', 'context canceled'])
      assert.deepEqual([runtime.error.code, runtime.attempt], ['cancelled', 1])
      assert.deepEqual(await states('after'), ['after: skipped dependency a failed'])
      // Nobody asked for the other one's end.
      assert.equal(executor.pending.get(executor.ref('other'))!.attempt, 2)
    })
  }

  it('after its timeout, and a cancel, has timed out, and is not tried again', async (t) => {
    const { executor, scheduler, submit, pass, get } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a', { retry: 3, timeoutMs: 50 }))
    await pass(50)
    await scheduler.cancel('a')
    executor.lose([executor.ref('a')], executor.ref('a'))
    await pass(60_000)
    const { run_status, runtime } = await get('a')
    assert.deepEqual([run_status, runtime.error.code, executor.begun.length], ['failed', 'timeout', 1])
  })

  it('or ended too late, while the stop kills it, has timed out', async (t) => {
    const { executor, scheduler, submit, pass, get } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a', { timeoutMs: 100 }))
    const stopped = scheduler.stop(10)
    await pass(10)
    executor.report([
      { ...executor.failure(executor.ref('a')), ranMs: 200, detailsJson: '{"signal":"SIGTERM"}' },
    ])
    await stopped
    const { runtime } = await get('a')
    assert.equal(runtime.error.code, 'timeout')
    assert.deepEqual(runtime.details, { signal: 'SIGTERM', terminated_by: 'timeout' })
  })

  it('at the stop, which would have killed it, runs at the next start', async (t) => {
    const { executor, scheduler, submit, pass, get, logged } = await startRig(t)
    executor.answersAborts = false
    await submit(submitted('a'))
    const stopped = scheduler.stop(10)
    await pass(10)
    executor.lose([executor.ref('a')], executor.ref('a'))
    await stopped
    const { status, graph_id } = await get('a')
    assert.notEqual(status, 'failed')
    assert.ok(
      logged.includes(
        `killed by the stop: the task runs again at the next start ${JSON.stringify({
          task_id: 'a',
          graph_id,
          attempt: 1,
          terminated_by: 'shutdown',
        })}`,
      ),
      logged.join('\n'),
    )
  })
})
