/** `mcp` tasks against real servers: of the official package, and of another author. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  call,
  daemonWith,
  EVERYTHING,
  notesIn,
  soon,
  startHttpServer,
  stdioServer,
  textOf,
} from '../support/mcp.ts'
import { tempDir } from '../support/temp-dir.ts'

const toolNames = async (daemon: Awaited<ReturnType<typeof daemonWith>>): Promise<string[]> =>
  (await daemon.request('GET', '/mcp/tools')).body.tools.map(({ name }: { name: string }) => name)

test('a call of a server is a task', async (t) => {
  const daemon = await daemonWith(t, { one: stdioServer() })
  const { status, body } = await daemon.request('POST', '/mcp/call', {
    id: 'hello',
    tool_name: 'one/echo',
    input: { message: 'hello' },
  })
  assert.equal(status, 202)
  const task = await daemon.settled('hello')
  assert.deepEqual(task.result, { content: [{ type: 'text', text: 'test: hello' }] })
  assert.deepEqual(task.runtime.details, { mcp_server: 'one', mcp_tool: 'echo' })
  assert.deepEqual(
    task.progress.map(({ message }: { message: string }) => message),
    ['task accepted', 'task started', 'task completed'],
  )
  const { body: call } = await daemon.request('GET', `/mcp/tasks/${body.handle_id}`)
  assert.equal(call.status, 'success')
  assert.deepEqual(call.output, task.result)
})

test('names: of the server and its tool, or of a tool that one server alone offers', async (t) => {
  const daemon = await daemonWith(t, { a: stdioServer({ NAME: 'ann' }), b: stdioServer({ NAME: 'bob' }) })
  assert.equal(textOf(await call(daemon, 'a/echo', { message: 'x' })), 'ann: x')
  assert.equal(textOf(await call(daemon, 'b/echo', { message: 'x' })), 'bob: x')
  assert.equal(textOf(await call(daemon, 'only-bob')), 'bob')

  const ambiguous = await call(daemon, 'echo', {}, { retry: 3 })
  assert.equal(
    ambiguous.error,
    'mcp tool "echo" is offered by more than one server: name one of a/echo, b/echo',
  )
  assert.equal(ambiguous.runtime.attempt, 1, 'no other attempt can change it')
  const unknown = await call(daemon, 'nope', {}, { retry: 3 })
  assert.match(
    unknown.error,
    /^unknown mcp tool "nope" \(available: a\/echo, .*a\/only-ann, b\/echo, .*b\/only-bob\)$/,
  )
  assert.equal(unknown.runtime.attempt, 1)
  assert.match(
    (await call(daemon, 'a/nope')).error,
    /^unknown mcp tool "a\/nope" \(available: a\/echo, (a\/[\w-]+, )*a\/only-ann\)$/,
  )
  assert.match((await call(daemon, '')).error, /^tool_name is required/)
  const placeholder = await call(daemon, 'mcp.execute', { x: 1 })
  assert.deepEqual(placeholder.result, { echo: { x: 1 }, tool_name: 'mcp.execute' })
})

test('GET /mcp/tools lists what the servers offer, whoever is down', async (t) => {
  const daemon = await daemonWith(t, {
    up: stdioServer(),
    gone: { command: '/nowhere/to/be/found' },
    refused: { url: `http://127.0.0.1:${await freePort()}/mcp` },
  })
  const { body } = await daemon.request('GET', '/mcp/tools')
  assert.deepEqual(body.tools.slice(0, 2), [
    {
      name: 'mcp.execute',
      category: 'mcp',
      description: 'Execute MCP task and return handle',
      input_schema: { type: 'object' },
    },
    { name: 'up/echo', category: 'mcp', description: 'does echo', input_schema: { type: 'object' } },
  ])
  assert.match(
    (await call(daemon, 'gone/x')).error,
    /^mcp server gone cannot be reached: cannot start \/nowhere\/to\/be\/found: no such file or directory$/,
  )
  assert.match(
    (await call(daemon, 'refused/x')).error,
    /^mcp server refused cannot be reached: .*connection refused/,
  )
  assert.match((await call(daemon, 'x')).error, /; not reached: gone: .*; not reached: refused: /)
})

test('a server that says nothing hangs no list', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const { port } = silent.address() as { port: number }
  const daemon = await daemonWith(t, {
    up: stdioServer(),
    mute: { command: 'sleep', args: ['300'] },
    silent: { url: `http://127.0.0.1:${port}/mcp` },
  })
  assert.ok((await toolNames(daemon)).includes('up/echo'))
  assert.equal(textOf(await call(daemon, 'up/echo', { message: 'x' })), 'test: x')
})

test('progress of the server is progress of the task', async (t) => {
  const daemon = await daemonWith(t, { one: stdioServer() })
  const task = await call(daemon, 'one/count', { to: 3 })
  assert.deepEqual(
    task.progress.map(({ message }: { message: string }) => message),
    ['task accepted', 'task started', '1/3: step 1', '2/3: step 2', '3/3: step 3', 'task completed'],
  )
})

test('a cancel and a timeout reach the server', async (t) => {
  const notes = join(await tempDir(t), 'notes')
  const daemon = await daemonWith(t, { one: stdioServer({ NOTES: notes }) })
  const cancellations = (): any[] => notesIn(notes).filter((each) => 'cancelled' in each)

  await daemon.submit([{ id: 'long', type: 'mcp', tool_name: 'one/wait', input: { ms: 600_000 } }])
  await soon('the call', () => notesIn(notes).some((each) => 'waiting' in each))
  assert.equal((await daemon.request('POST', '/tasks/long/cancel')).status, 202)
  assert.equal((await daemon.settled('long')).runtime.error.code, 'cancelled')
  await soon('the cancel', () => cancellations().length === 1)

  const late = await call(daemon, 'one/wait', { ms: 600_000 }, { timeout: 300 })
  assert.equal(late.runtime.error.code, 'timeout')
  await soon('the other cancel', () => cancellations().length === 2)
  assert.equal(textOf(await call(daemon, 'one/echo', { message: 'still here' })), 'test: still here')
})

test('what the tool calls an error fails the task', async (t) => {
  const daemon = await daemonWith(t, { one: stdioServer() })
  const task = await call(daemon, 'one/fail', { message: 'no such city' }, { retry: 1 })
  assert.equal(task.status, 'failed')
  assert.equal(task.error, 'no such city')
  assert.equal(task.runtime.attempt, 2)
  assert.deepEqual(task.runtime.output, { content: [{ type: 'text', text: 'no such city' }] })
  assert.equal(
    (await call(daemon, 'one/fail', { message: '' })).error,
    'mcp tool one/fail failed and did not say why',
  )
})

test('an answer that is no message of the protocol fails its call', async (t) => {
  const daemon = await daemonWith(t, { one: stdioServer() })
  assert.equal(
    (await call(daemon, 'one/garble')).error,
    "mcp tool one/garble: the server's answer is malformed",
  )
  assert.equal(textOf(await call(daemon, 'one/echo', { message: 'x' })), 'test: x')
})

test('outputs are bounded', async (t) => {
  const daemon = await daemonWith(t, { one: stdioServer() }, { env: { EXECGO_MAX_OUTPUT_BYTES: '10000' } })
  const whole = await call(daemon, 'one/structured')
  assert.deepEqual(whole.result, {
    content: [{ type: 'text', text: '{"answer":42}' }],
    structuredContent: { answer: 42, fill: '' },
  })
  const big = await call(daemon, 'one/big', { bytes: 1_000_000 })
  const [block] = big.result.content
  assert.match(block.text, /^x+$/)
  assert.ok(block.text.length > 4000 && block.text.length <= 10_000)
  assert.equal(block.text.length + block.truncated_bytes, 1_000_000)
  assert.ok(big.runtime.details.output_truncated_bytes > 900_000)
  const structured = await call(daemon, 'one/structured', { fill: 20_000 })
  assert.deepEqual(structured.result, { content: [{ type: 'text', text: '{"answer":42}' }] })
  // More than one message may have: the server is ended, and is there again.
  const huge = await call(daemon, 'one/big', { bytes: 40_000_000 })
  assert.match(huge.error, /^mcp tool one\/big: the server ended during the call \(/)
  assert.equal(textOf(await call(daemon, 'one/echo', { message: 'x' })), 'test: x')
})

test('a message of more values than there is memory for is cut off, and the daemon goes on', async (t) => {
  const env = { EXECGO_THREAD_MEMORY_MB: '32' }
  const web = await startHttpServer(t)
  const daemon = await daemonWith(t, { one: stdioServer(), web: { url: web.url } }, { env })
  const pid = textOf(await call(daemon, 'one/pid'))
  // Unless it is refused unread, the table of so many names ends the process.
  const many = await call(daemon, 'one/objects', { count: 1_000_000 })
  assert.equal(
    many.error,
    'mcp tool one/objects: the server ended during the call (its message has more than 32768 values)',
  )
  assert.notEqual(textOf(await call(daemon, 'one/pid')), pid)
  assert.match((await call(daemon, 'web/objects', { count: 1_000_000 })).error, /^mcp tool web\/objects: /)
  assert.equal(textOf(await call(daemon, 'web/echo', { message: 'x' })), 'test: x')
  assert.equal(daemon.child.exitCode, null)
  assert.deepEqual(
    daemon.logLines.filter((line) => line.includes('the thread of the MCP servers ended')),
    [],
  )
})

test('a thousand calls at once', async (t) => {
  const daemon = await daemonWith(t, { one: stdioServer() }, { args: ['-max-concurrency', '1000'] })
  const tasks = Array.from({ length: 1000 }, (_, at) => ({
    id: `t${at}`,
    type: 'mcp',
    tool_name: 'echo',
    input: { message: `${at}` },
  }))
  await daemon.submit(tasks)
  const over = await daemon.allSettled()
  assert.equal(over.length, 1000)
  for (const task of over) assert.equal(textOf(task), `test: ${task.id.slice(1)}`)
})

test('a server finds in its environment what it was given, and no secret', async (t) => {
  const daemon = await daemonWith(
    t,
    { one: stdioServer({ TOKEN: '${EXECGO_MY_TOKEN}', MODE: '${NOT_SET:-careful}' }) },
    { env: { EXECGO_MY_TOKEN: 'secret', AWS_SECRET_ACCESS_KEY: 'hidden', TRACEPARENT: 'x' } },
  )
  const env = JSON.parse(textOf(await call(daemon, 'one/env')))
  assert.equal(env.TOKEN, 'secret')
  assert.equal(env.MODE, 'careful')
  assert.equal(env.PATH, process.env['PATH'])
  const { EXECGO_RUN, ...others } = env
  assert.match(EXECGO_RUN, /^mcp-/)
  assert.deepEqual(
    Object.keys(others).filter((name) => /EXECGO|AWS|TRACE|NODE_/.test(name)),
    [],
  )
})

test('a call carries the trace of its submission', async (t) => {
  const daemon = await daemonWith(t, { one: stdioServer() })
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const body = { tasks: [{ id: 'traced', type: 'mcp', tool_name: 'one/meta' }] }
  await daemon.request('POST', '/tasks', body, { traceparent })
  const meta = JSON.parse(textOf(await daemon.settled('traced')))
  assert.match(meta.traceparent, /^00-4bf92f3577b34da6a3ce929d0e0e4736-/)
})

test('servers behind an address', async (t) => {
  const notes = join(await tempDir(t), 'notes')
  const server = await startHttpServer(t, { NOTES: notes })
  const headers = { Authorization: 'Bearer ${EXECGO_MY_TOKEN}' }
  const daemon = await daemonWith(
    t,
    { web: { type: 'http', url: server.url, headers } },
    { env: { EXECGO_MY_TOKEN: 'secret' } },
  )
  assert.equal(textOf(await call(daemon, 'web/echo', { message: 'x' })), 'test: x')
  assert.ok(notesIn(notes).every((each) => !('method' in each) || each.authorization === 'Bearer secret'))
  const counted = await call(daemon, 'web/count', { to: 2 })
  assert.deepEqual(
    counted.progress.slice(2, 4).map(({ message }: { message: string }) => message),
    ['1/2: step 1', '2/2: step 2'],
  )
  const late = await call(daemon, 'web/wait', { ms: 600_000 }, { timeout: 300 })
  assert.equal(late.runtime.error.code, 'timeout')
  await soon('the cancel', () => notesIn(notes).some((each) => 'cancelled' in each))

  const lost = call(daemon, 'web/wait', { ms: 600_000 })
  await soon('the call', () => notesIn(notes).filter((each) => 'waiting' in each).length === 2)
  server.child.kill('SIGKILL')
  assert.match((await lost).error, /^mcp tool web\/wait: /)
  assert.match((await call(daemon, 'web/echo', { message: 'x' })).error, /connection refused/)
  await startHttpServer(t, {}, server.port)
  assert.equal(textOf(await call(daemon, 'web/echo', { message: 'back' })), 'test: back')
})

test('the reference server, over both transports', async (t) => {
  const port = await freePort()
  const startWeb = async (): Promise<ReturnType<typeof spawn>> => {
    const child = spawn(process.execPath, [EVERYTHING, 'streamableHttp'], {
      env: { ...process.env, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    t.after(() => child.kill('SIGKILL'))
    await once(child.stderr!, 'data')
    child.stderr!.resume()
    return child
  }
  const web = await startWeb()
  const daemon = await daemonWith(t, {
    stdio: { command: process.execPath, args: [EVERYTHING, 'stdio'] },
    web: { url: `http://127.0.0.1:${port}/mcp` },
  })
  for (const server of ['stdio', 'web']) {
    assert.equal(textOf(await call(daemon, `${server}/echo`, { message: 'x' })), 'Echo: x')
    assert.equal(textOf(await call(daemon, `${server}/get-sum`, { a: 1, b: 2 })), 'The sum of 1 and 2 is 3.')
    const { result } = await call(daemon, `${server}/get-structured-content`, { location: 'New York' })
    assert.equal(typeof result.structuredContent.temperature, 'number')
    const long = await call(daemon, `${server}/trigger-long-running-operation`, { duration: 1, steps: 2 })
    assert.deepEqual(
      long.progress.slice(2, -1).map(({ message }: { message: string }) => message),
      ['1/2', '2/2'],
    )
    assert.match((await call(daemon, `${server}/get-sum`, { a: 'x' })).error, /a/)
  }
  // Started anew it knows no session of before: calls go on with another.
  web.kill('SIGKILL')
  await once(web, 'exit')
  await startWeb()
  assert.equal(textOf(await call(daemon, 'web/echo', { message: 'again' }, { retry: 3 })), 'Echo: again')
})

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
