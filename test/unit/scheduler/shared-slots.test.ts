/** Attempts of instant tools cross to the threads together, many to a slot. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startRig } from '../../support/scheduler-rig.ts'
import { submitted } from '../../support/tasks.ts'

const instant = { instantTools: ['noop'] }
const noops = (count: number, prefix = 'n') =>
  Array.from({ length: count }, (_, at) => submitted(`${prefix}${at}`))
const sleeps = (count: number) =>
  Array.from({ length: count }, (_, at) => submitted(`s${at}`, { type: 'sleep' }))

describe('attempts of instant tools', () => {
  it('share a slot, up to 64 of them', async (t) => {
    const { executor, submit } = await startRig(t, { ...instant, slots: 3 })
    await submit(...noops(200))
    assert.equal(executor.pending.size, 3 * 64)
    assert.ok([...executor.pending.values()].every(({ isInstant }) => isInstant))
  })

  it('hold their slot until the last of them is over', async (t) => {
    const { executor, submit } = await startRig(t, { ...instant, slots: 1 })
    await submit(...noops(3), ...sleeps(1))
    assert.deepEqual(executor.pendingIds, ['n0', 'n1', 'n2'])
    executor.succeed(executor.ref('n1'))
    executor.succeed(executor.ref('n0'))
    assert.deepEqual(executor.pendingIds, ['n2'])
    executor.succeed(executor.ref('n2'))
    assert.deepEqual(executor.pendingIds, ['s0'])
  })

  it('wait for a slot where others hold them all', async (t) => {
    const { executor, submit } = await startRig(t, { ...instant, slots: 2 })
    await submit(...sleeps(2), ...noops(5))
    assert.deepEqual(executor.pendingIds, ['s0', 's1'])
    executor.succeed(executor.ref('s1'))
    assert.deepEqual(executor.pendingIds, ['s0', 'n0', 'n1', 'n2', 'n3', 'n4'])
  })

  it('start in line with all others', async (t) => {
    const { executor, submit } = await startRig(t, { ...instant, slots: 3 })
    await submit(...noops(2), ...sleeps(1), ...noops(1, 'late'), ...noops(1, 'last'))
    assert.deepEqual(executor.beganIds, ['n0', 'n1', 's0', 'late0', 'last0'])
  })

  it('are pending until they are over: one may wait behind the others', async (t) => {
    const { executor, scheduler, submit, get } = await startRig(t, { ...instant, slots: 1 })
    await submit(...noops(2))
    assert.equal((await get('n1')).status, 'pending')
    assert.equal(scheduler.metrics().tasks_running, 1)
    executor.succeed(executor.ref('n0'))
    const task = await get('n0')
    assert.deepEqual([task.status, task.runtime.attempt], ['success', 1])
    assert.equal((await get('n1')).status, 'pending')
    executor.succeed(executor.ref('n1'))
    assert.equal(scheduler.metrics().tasks_running, 0)
  })

  it('run again where their thread was lost', async (t) => {
    const { executor, submit, states } = await startRig(t, { ...instant, slots: 2 })
    await submit(...sleeps(1), ...noops(2))
    executor.lose([executor.ref('s0'), executor.ref('n0'), executor.ref('n1')], executor.ref('s0'))
    assert.deepEqual(executor.pendingIds, ['n0', 'n1'])
    executor.succeed(executor.ref('n0'))
    executor.succeed(executor.ref('n1'))
    assert.deepEqual(await states('n0', 'n1'), ['n0: success', 'n1: success'])
  })

  it('have none to share where no tool is said to be instant', async (t) => {
    const { executor, submit } = await startRig(t, { slots: 2 })
    await submit(...noops(3))
    assert.deepEqual(executor.pendingIds, ['n0', 'n1'])
  })
})
