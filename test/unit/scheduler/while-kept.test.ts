/** What is asked for while the store still keeps what it is about: it is found already, and its submission not told. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Rig, startRig } from '../../support/scheduler-rig.ts'
import { turn } from '../../support/eventually.ts'
import { planOf, submitted } from '../../support/tasks.ts'

/** Commits are made and not told until the gate opens. */
const closeGate = (rig: Rig): (() => void) => {
  let open = (): void => {}
  rig.store.gate = new Promise((resolve) => {
    open = resolve
  })
  return open
}

const submission = (id: string) =>
  ({
    plan: planOf([submitted(id, { type: 'shell' })]),
    onConflict: 'replace',
    isRelaxed: false,
  }) as const

describe('while it is being kept', () => {
  it('a replacement that is cancelled never runs', async (t) => {
    const rig = await startRig(t)
    rig.executor.answersAborts = false
    await rig.submit(submitted('a', { type: 'shell' }))
    const open = closeGate(rig)
    const replaced = rig.scheduler.submit(submission('a'))
    await turn()
    const cancelled = rig.scheduler.cancel('a')
    await turn()
    open()
    assert.ok((await replaced).ok && (await cancelled).ok)
    await turn()
    rig.executor.report([rig.executor.aborted(rig.executor.ref('a'))])
    assert.deepEqual(rig.executor.beganIds, ['a'])
    const task = await rig.get('a')
    assert.deepEqual([task.status, task.run_status], ['failed', 'cancelled'])
    // It never was in line.
    assert.equal(rig.scheduler.gauges().ready, 0)
  })

  it('a task of two replacements runs once more, and not beside the first', async (t) => {
    const rig = await startRig(t)
    rig.executor.answersAborts = false
    await rig.submit(submitted('a', { type: 'shell' }))
    const open = closeGate(rig)
    const both = [rig.scheduler.submit(submission('a')), rig.scheduler.submit(submission('a'))]
    await turn()
    open()
    for (const each of both) assert.ok((await each).ok)
    await turn()
    assert.deepEqual(rig.executor.beganIds, ['a'])
    rig.executor.report([rig.executor.aborted(rig.executor.ref('a'))])
    await turn()
    assert.deepEqual(rig.executor.beganIds, ['a', 'a'])
    rig.executor.succeed(rig.executor.ref('a'))
    assert.equal((await rig.get('a')).status, 'success')
    assert.equal(rig.executor.begun.length, 2)
  })

  it('a graph that is run again and cancelled does not run', async (t) => {
    const rig = await startRig(t)
    const key = await rig.submitWith([
      submitted('a', { type: 'shell' }),
      submitted('b', { dependsOn: ['a'] }),
    ])
    rig.executor.fail(rig.executor.ref('a'))
    assert.equal((await rig.get('b')).status, 'skipped')
    const open = closeGate(rig)
    const retried = rig.scheduler.retryGraph(key)
    await turn()
    const cancelled = rig.scheduler.cancelGraph(key)
    await turn()
    open()
    assert.ok((await retried).ok && (await cancelled).ok)
    await turn()
    assert.deepEqual(rig.executor.beganIds, ['a'])
    assert.deepEqual(await rig.states('a'), ['a: failed context canceled'])
    const graph = await rig.store.graph(key)
    assert.equal(graph?.unfinished, 0)
    assert.equal(graph?.counts.running, 0)
  })
})

describe('an attempt of an instant tool that is lost before it began', () => {
  it('has the time of its loss, and is counted once', async (t) => {
    const rig = await startRig(t, { instantTools: ['noop'] })
    const key = await rig.submitWith([submitted('a', { retry: 1 }), submitted('b')])
    const [a, b] = [rig.executor.ref('a'), rig.executor.ref('b')]
    rig.executor.lose([a, b], -1)
    await rig.pass(100)
    const graph = await rig.store.graph(key)
    assert.deepEqual([graph?.counts.running, graph?.counts.failed], [1, 1])
    const lost = await rig.get('b')
    assert.equal(lost.runtime.started_at, lost.runtime.finished_at)
    rig.executor.succeed(rig.executor.ref('a'))
    assert.equal((await rig.get('a')).status, 'success')
    assert.equal((await rig.store.graph(key))?.counts.running, 0)
  })
})
