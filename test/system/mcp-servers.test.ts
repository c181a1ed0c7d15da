/** MCP servers live as long as the daemon: they are started once, started again when they end, and never left behind. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { childrenOf } from '../support/children.ts'
import type { TestDaemon } from '../support/daemon.ts'
import { call, daemonWith, isAlive, notesIn, soon, stdioServer, textOf } from '../support/mcp.ts'
import { tempDir } from '../support/temp-dir.ts'

const numberFrom = async (daemon: TestDaemon, tool: string): Promise<number> =>
  Number(textOf(await call(daemon, tool)))

const startsIn = (notes: string): number[] =>
  notesIn(notes).flatMap(({ started }) => (started === undefined ? [] : [started]))

const notesFile = async (t: TestContext): Promise<string> => join(await tempDir(t), 'notes')

test('a server is one process, whichever thread calls it', async (t) => {
  const notes = await notesFile(t)
  const daemon = await daemonWith(
    t,
    { one: stdioServer({ NOTES: notes }) },
    { args: ['-max-concurrency', '64'] },
  )
  await daemon.submit(
    Array.from({ length: 200 }, (_, at) => ({ id: `p${at}`, type: 'mcp', tool_name: 'pid' })),
  )
  const pids = new Set((await daemon.allSettled()).map(textOf))
  assert.equal(pids.size, 1)
  assert.deepEqual(startsIn(notes).map(String), [...pids])
})

test('a server that ends during a call is started again, and the call tried again', async (t) => {
  const notes = await notesFile(t)
  const daemon = await daemonWith(t, { one: stdioServer({ NOTES: notes }) })
  const child = await numberFrom(daemon, 'one/child')
  const crashed = await call(daemon, 'one/crash', { code: 7 })
  assert.equal(crashed.error, 'mcp tool one/crash: the server ended during the call (exit status 7)')
  await soon('the end of what it had started', () => !isAlive(child))
  const pid = await numberFrom(daemon, 'one/pid')
  assert.deepEqual(startsIn(notes).slice(1), [pid])

  await daemon.submit([
    { id: 'w', type: 'mcp', tool_name: 'one/wait', input: { ms: 500 }, retry: 1 },
    { id: 'x', type: 'mcp', tool_name: 'one/wait', input: { ms: 500 }, retry: 1 },
  ])
  await soon('the calls', () => notesIn(notes).filter((each) => each.waiting === pid).length === 2)
  process.kill(pid, 'SIGKILL')
  for (const id of ['w', 'x']) {
    const task = await daemon.settled(id)
    assert.equal(textOf(task), 'waited')
    assert.equal(task.runtime.attempt, 2)
  }
  assert.equal(startsIn(notes).length, 3)
})

for (const [tool, pipe] of [
  ['mute', 'output'],
  ['deafen', 'input'],
] as const)
  test(`a server that closes its standard ${pipe} and runs on is started again`, async (t) => {
    const daemon = await daemonWith(t, { one: stdioServer() })
    const pid = await numberFrom(daemon, 'one/pid')
    const closing = call(daemon, `one/${tool}`)
    if (tool === 'deafen') assert.equal(textOf(await closing), 'deaf now')
    const lost = tool === 'mute' ? await closing : await call(daemon, 'one/pid')
    assert.match(
      lost.error,
      new RegExp(
        `^mcp tool one/\\w+: the server ended during the call \\(it closed its standard ${pipe}\\)$`,
      ),
    )
    assert.equal(isAlive(pid), false)
    assert.notEqual(await numberFrom(daemon, 'one/pid'), pid)
  })

test('a server that is killed while nobody calls it comes back by itself', async (t) => {
  const notes = await notesFile(t)
  await daemonWith(t, { one: stdioServer({ NOTES: notes }) }).then((daemon) => numberFrom(daemon, 'one/pid'))
  const [pid] = startsIn(notes)
  process.kill(pid!, 'SIGKILL')
  await soon('another', () => startsIn(notes).length === 2)
})

test('a server that cannot stay up is tried less and less often', async (t) => {
  const notes = await notesFile(t)
  const script = `require('node:fs').appendFileSync(${JSON.stringify(notes)}, '{"started":1}\\n'); process.exit(4)`
  const daemon = await daemonWith(t, { one: { command: process.execPath, args: ['-e', script] } })
  assert.equal(
    (await call(daemon, 'one/x')).error,
    'mcp server one cannot be reached: it ended (exit status 4)',
  )
  await new Promise((resolve) => setTimeout(resolve, 4000))
  // Two for an attempt: the second is for servers that end when they are asked what they speak.
  assert.ok(startsIn(notes).length <= 10, `${startsIn(notes).length} starts`)
})

test('a server of before 2026 that ends when it is asked what it speaks', async (t) => {
  const daemon = await daemonWith(t, { old: stdioServer({ OLD: '1' }) })
  assert.equal(textOf(await call(daemon, 'old/echo', { message: 'x' })), 'test: x')
})

test('what a server says on stderr is in the log, not all of a flood', async (t) => {
  const daemon = await daemonWith(t, { one: stdioServer({ NOISE: '5000' }) })
  await numberFrom(daemon, 'one/pid')
  await daemon.stop()
  const said = daemon.logLines
    .map((line) => JSON.parse(line))
    .filter(({ mcp_server }) => mcp_server === 'one')
  const lines = said.filter(({ stderr }) => stderr !== undefined)
  assert.equal(lines[0].stderr, 'noise 0')
  assert.ok(lines.length <= 200, `${lines.length} lines`)
  assert.ok(said.some(({ msg, lines }) => msg === 'an MCP server said more than is logged' && lines > 4000))
})

/** The pids of two servers, of which one ends only when it is made to, and of what they started. */
const processesOf = async (t: TestContext): Promise<{ daemon: TestDaemon; pids: number[] }> => {
  const daemon = await daemonWith(t, { good: stdioServer(), deaf: stdioServer({ DEAF: '1' }) })
  const pids: number[] = []
  for (const tool of ['good/pid', 'good/child', 'deaf/pid', 'deaf/child'])
    pids.push(await numberFrom(daemon, tool))
  const guards = childrenOf(daemon.child.pid!).filter(({ name }) => name === 'sh')
  assert.equal(guards.length, 1)
  return { daemon, pids: [...pids, guards[0]!.pid] }
}

test('a stop of the daemon leaves no server', async (t) => {
  const { daemon, pids } = await processesOf(t)
  assert.equal(await daemon.stop(), 0)
  await soon('the end of the guard', () => !isAlive(pids.at(-1)!))
  assert.deepEqual(pids.filter(isAlive), [])
})

for (const signal of ['SIGKILL', 'SIGABRT'] as const) {
  test(`a daemon that ends by ${signal} leaves no server`, async (t) => {
    const { daemon, pids } = await processesOf(t)
    daemon.child.kill(signal)
    await daemon.exited
    await soon('the end of all', () => pids.every((pid) => !isAlive(pid)))
  })
}

test('a daemon that is told to stop twice leaves no server', async (t) => {
  const { daemon, pids } = await processesOf(t)
  await daemon.submit([{ id: 'long', type: 'mcp', tool_name: 'good/wait', input: { ms: 600_000 } }])
  await daemon.until('long', ({ status }) => status === 'running')
  daemon.child.kill('SIGTERM')
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(await daemon.stop('SIGTERM'), 1)
  await soon('the end of all', () => pids.every((pid) => !isAlive(pid)))
})

test('a daemon stops while a server is still starting', async (t) => {
  const daemon = await daemonWith(t, { mute: { command: 'sleep', args: ['300'] } })
  const pid = await soon(
    'the server',
    () => childrenOf(daemon.child.pid!).find(({ name }) => name === 'sleep')?.pid,
  )
  assert.equal(await daemon.stop(), 0)
  assert.equal(isAlive(pid), false)
})

test('when the thread of the servers is lost, calls go on with another', async (t) => {
  const notes = await notesFile(t)
  const daemon = await daemonWith(
    t,
    { one: stdioServer({ NOTES: notes, DEAF: '1' }) },
    { env: { EXECGO_THREAD_MEMORY_MB: '32' } },
  )
  const pid = await numberFrom(daemon, 'one/pid')
  assert.equal(textOf(await call(daemon, 'one/grow')), 'grown')
  // It is asked for its tools again, of which there are more by now than there is memory for.
  const lost = await call(daemon, 'one/nope')
  assert.equal(lost.error, 'the thread of the MCP servers ended during the call')
  // Until its end is known, other calls may go to it too.
  assert.notEqual(Number(textOf(await call(daemon, 'one/pid', {}, { retry: 5 }))), pid)
  await soon('the end of the first', () => !isAlive(pid))
})

test('it is the same from the sources', async (t) => {
  const daemon = await daemonWith(t, { one: stdioServer() }, { fromSource: true })
  assert.equal(textOf(await call(daemon, 'one/echo', { message: 'x' })), 'test: x')
})
