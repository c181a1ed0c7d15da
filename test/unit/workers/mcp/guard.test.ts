import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { ServerGuard } from '../../../../workers/mcp/guard.ts'
import { childrenOf } from '../../../support/children.ts'
import { eventually } from '../support.ts'

/** A process that leads a group of its own, and maybe does not hear SIGTERM; killed at the end. */
const leader = async (t: TestContext, script: string): Promise<ChildProcess> => {
  const child = spawn('/bin/sh', ['-c', `${script}; echo ready; exec sleep 300`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  // The whole group: what sleeps in it holds the pipe.
  t.after(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {}
  })
  await once(child.stdout!, 'data')
  return child
}

const shells = (): { pid: number }[] =>
  childrenOf(process.pid).filter(({ name, isZombie }) => name === 'sh' && !isZombie)

test('what it was told of ends with it, and what it was told to forget does not', async (t) => {
  const [good, deaf, forgotten] = await Promise.all([
    leader(t, ':'),
    leader(t, 'trap "" TERM'),
    leader(t, ':'),
  ])
  const guard = new ServerGuard(() => {})
  for (const { pid } of [good!, deaf!, forgotten!]) guard.add(pid!)
  guard.remove(forgotten!.pid!)
  guard.close()
  await eventually(() => good!.signalCode === 'SIGTERM' && deaf!.signalCode === 'SIGKILL')
  assert.equal(forgotten!.signalCode, null)
})

test('one that is killed is replaced, and the other knows all groups', async (t) => {
  const server = await leader(t, ':')
  const messages: string[] = []
  const others = new Set(shells().map(({ pid }) => pid))
  const guard = new ServerGuard((_level, _fields, message) => messages.push(message))
  guard.add(server.pid!)
  const first = await eventually(() => shells().find(({ pid }) => !others.has(pid)))
  process.kill(first.pid, 'SIGKILL')
  await eventually(() => shells().find(({ pid }) => !others.has(pid) && pid !== first.pid))
  assert.deepEqual(messages, ['the guard of the MCP servers ended; another takes its place'])
  guard.close()
  await eventually(() => server.signalCode === 'SIGTERM')
})

test('without a shell it says so once', async () => {
  const messages: string[] = []
  const guard = new ServerGuard((_level, _fields, message) => messages.push(message), '/nowhere/sh')
  // No process has such a number.
  guard.add(2 ** 30)
  await eventually(() => messages.length > 0)
  guard.add(2 ** 30 + 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(messages.length, 1)
  assert.match(messages[0]!, /^there is no guard/)
})
