import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { childrenOf, descriptorsOf } from '../support/children.ts'
import { type TestDaemon, root, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { SPAWN_WAYS } from '../support/spawn-ways.ts'

let daemon: TestDaemon
before(async () => {
  daemon = await startDaemon({
    env: {
      EXECGO_TOOLS: join(root, 'test/support/bad-tools.mjs'),
      EXECGO_THREAD_MEMORY_MB: '64',
      EXECGO_GRACE_MS: '200',
    },
  })
})
after(() => daemon.stop())

const tool = (name: string, more: object = {}) => ({ type: 'os', tool_name: name, input: {}, ...more })

test('a thread stuck in a loop is ended: the culprit times out, what else it held runs again', async () => {
  const others = Array.from({ length: 6 }, (_, at) => ({
    id: `other-${at}`,
    type: 'sleep',
    params: { duration_ms: 2000 },
  }))
  await daemon.submit([...others, { id: 'hang', ...tool('hang', { timeout: 300 }) }])
  const hang = await daemon.settled('hang')
  assert.equal(hang.status, 'failed')
  assert.equal(hang.runtime.error.code, 'timeout')
  const attempts = []
  for (const { id } of others) {
    const task = await daemon.settled(id)
    assert.equal(task.status, 'success', JSON.stringify(task))
    attempts.push(task.runtime.attempt)
  }
  assert.ok(attempts.includes(2), `one shared the thread: ${attempts}`)
})

test('a tool that exits its thread, or fills its memory, fails as a lost worker and takes nobody along', async () => {
  for (const name of ['exit', 'oom']) {
    await daemon.submit([{ id: name, ...tool(name) }])
    const task = await daemon.settled(name)
    assert.equal(task.status, 'failed', name)
    assert.equal(task.runtime.error.code, 'internal', name)
    assert.equal(task.runtime.error.source, 'scheduler', name)
    assert.equal(task.runtime.error.retryable, true, name)
    assert.equal(task.error, task.runtime.error.message)
  }
  await daemon.submit([{ id: 'alive', type: 'noop' }])
  assert.equal((await daemon.settled('alive')).status, 'success')
})

test('a lost worker is tried again as far as the task may', async () => {
  await daemon.submit([{ id: 'exit-again', ...tool('exit', { retry: 1 }) }])
  const task = await daemon.settled('exit-again')
  assert.equal(task.status, 'failed')
  assert.equal(task.runtime.attempt, 2)
})

test('a tool that never ends is given up after its timeout, and its slot is free again', async () => {
  await daemon.submit(
    Array.from({ length: 10 }, (_, at) => ({ id: `never-${at}`, ...tool('never', { timeout: 100 }) })),
  )
  await daemon.submit([{ id: 'after', type: 'noop' }])
  assert.equal((await daemon.settled('after')).status, 'success')
  assert.equal((await daemon.settled('never-9')).error, 'context deadline exceeded')
})

test('lost threads leave no process, no zombie and no descriptor behind', async () => {
  const { pid } = daemon.child
  const sleeper = (id: string) => ({ id, type: 'shell', params: { script: 'sleep 1000 & exec sleep 1000' } })
  const isClean = () => {
    const children = childrenOf(pid!)
    return children.every(({ isZombie }) => isZombie) && (SPAWN_WAYS[0] === 'node' || children.length === 0)
  }
  // The first time opens what stays open.
  let open = Number.POSITIVE_INFINITY
  for (let round = 0; round < 4; round++) {
    const ids = Array.from({ length: 5 }, (_, at) => `sleeper-${round}-${at}`)
    await daemon.submit(ids.map(sleeper))
    for (const id of ids) await daemon.until(id, ({ status }) => status === 'running')
    await daemon.submit([{ id: `exit-${round}`, ...tool('exit') }])
    await daemon.settled(`exit-${round}`)
    for (const id of ids) await daemon.request('POST', `/tasks/${id}/cancel`)
    for (const id of ids) await daemon.settled(id)
    await eventually('no process is left', isClean)
    // Each sleeper has three; a connection more or less is nobody's loss.
    if (round > 0) await eventually('the descriptors are closed', () => descriptorsOf(pid!) <= open + 2)
    else open = descriptorsOf(pid!)
  }
})

test('an unknown tool fails, once', async () => {
  await daemon.submit([{ id: 'unknown', ...tool('nope', { retry: 3 }) }])
  const task = await daemon.settled('unknown')
  assert.equal(task.error, 'unknown os tool "nope"')
  assert.equal(task.runtime.attempt, 1)
})
