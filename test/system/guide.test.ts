/**
 * The guide that users of the original server follow, example by example: each request as it stands there, and the
 * answer as it is printed there. `'…'` stands for further keys where the guide shows a part of an answer. Times,
 * durations, handles and versions are compared by their kind.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fetch } from '../support/checked-fetch.ts'
import { TestDaemon, root, startDaemon } from '../support/daemon.ts'
import { differences } from '../support/doc-blocks.ts'

const sameAs = (answer: unknown, printed: unknown): void =>
  assert.deepEqual(
    // The guide does not know of graphs: a client of it passes the key over.
    differences(printed, answer).filter((line) => line !== '.graph_id: answered, but not printed'),
    [],
    JSON.stringify(answer),
  )

let folder = ''
let daemon: TestDaemon

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'execgo-guide-'))
  // The guide's paths are relative to where the daemon runs.
  daemon = await startDaemon({ cwd: folder, env: { EXECGO_SHELL_POLICY: '' } })
})

after(async () => {
  await daemon?.stop()
  await rm(folder, { recursive: true, force: true })
})

const post = async (body: unknown): Promise<unknown> => {
  const answer = await daemon.request('POST', '/tasks', body)
  assert.equal(answer.status, 202, JSON.stringify(answer.body))
  return answer.body
}

describe('2 starting it', () => {
  const started = async (args: string[], env: Record<string, string>): Promise<void> => {
    const dataDir = await mkdtemp(join(tmpdir(), 'execgo-guide-data-'))
    const child = spawn(
      process.execPath,
      [join(root, 'dist', 'src', 'cli.js'), ...args, ...(args.length > 0 ? [dataDir] : [])],
      {
        cwd: folder,
        env: { ...process.env, ...env, ...(args.length > 0 ? {} : { EXECGO_DATA_DIR: dataDir }) },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const other = await new TestDaemon(child, dataDir, false).listening()
    await other.submit([{ id: 'a', type: 'noop', params: {} }])
    await other.settled('a')
    assert.equal(await other.stop(), 0)
    const state = JSON.parse(await readFile(join(dataDir, 'state.json'), 'utf8'))
    assert.equal(state.a.status, 'success')
    await rm(dataDir, { recursive: true, force: true })
  }

  test('2.2 by flags', async () => {
    const addresses = ['-addr', '127.0.0.1:0', '-grpc-addr', '127.0.0.1:0']
    await started([...addresses, '-max-concurrency', '20', '-shutdown-timeout', '30', '-data-dir'], {})
  })

  test('2.3 by the environment', async () => {
    await started([], {
      EXECGO_ADDR: '127.0.0.1:0',
      EXECGO_GRPC_ADDR: '127.0.0.1:0',
      EXECGO_MAX_CONCURRENCY: '20',
      EXECGO_SHUTDOWN_TIMEOUT: '30',
    })
  })

  test('2.4 a task that was running is taken up again after a restart', async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'execgo-guide-data-'))
    t.after(() => rm(dataDir, { recursive: true, force: true }))
    const options = { dataDir, args: ['-shutdown-timeout', '0'] }
    const first = await startDaemon(options)
    t.after(() => first.stop())
    await first.submit([{ id: 'long', type: 'sleep', params: { duration_ms: 600_000 } }])
    await first.until('long', (task) => task.status === 'running')
    assert.equal(await first.stop(), 0)
    const second = await startDaemon(options)
    t.after(() => second.stop())
    const task = await second.until('long', (found) => found.status === 'running')
    assert.equal(task.runtime.attempt, 2)
  })
})

describe('3 and 4 the first five minutes', () => {
  test('3 a trace id is made, and one that is given is kept', async () => {
    const made = await fetch(`${daemon.url}/health`)
    assert.match(made.headers.get('x-trace-id') ?? '', /^[0-9a-f]{16}$/)
    const kept = await fetch(`${daemon.url}/health`, { headers: { 'X-Trace-ID': 'my-trace' } })
    assert.equal(kept.headers.get('x-trace-id'), 'my-trace')
  })

  test('4.1 health', async () => {
    const { status, body, headers } = await daemon.request('GET', '/health')
    assert.equal(status, 200)
    assert.equal(headers.get('content-type'), 'application/json')
    sameAs(body, { status: 'ok', version: 'v1.0.0', uptime: '9s' })
  })

  test('4.2 and 4.3 the first task, polled to its end', async () => {
    const accepted = await post({
      tasks: [{ id: 'hello-noop', type: 'noop', params: { message: 'hello api' } }],
    })
    assert.deepEqual(
      { ...(accepted as object), graph_id: '' },
      { accepted: 1, task_ids: ['hello-noop'], graph_id: '' },
    )
    sameAs(await daemon.settled('hello-noop'), {
      id: 'hello-noop',
      type: 'os',
      params: { message: 'hello api' },
      tool_name: 'noop',
      input: { message: 'hello api' },
      execution_category: 'os',
      status: 'success',
      run_status: 'success',
      result: { message: 'hello api', ok: true },
      runtime: {
        status: 'success',
        output: { message: 'hello api', ok: true },
        started_at: '2026-04-03T10:14:23.80576+08:00',
        finished_at: '2026-04-03T10:14:23.805773+08:00',
        attempt: 1,
        details: null,
      },
      created_at: '2026-04-03T10:14:23.805718+08:00',
      updated_at: '2026-04-03T10:14:23.805778+08:00',
    })
  })
})

describe('5 the task model', () => {
  test('5.1 the smallest request', async () => {
    await post({ tasks: [{ id: 'task-1', type: 'noop', params: { message: 'hello' } }] })
    assert.equal((await daemon.settled('task-1')).status, 'success')
  })

  test('5.3 both styles do the same', async () => {
    await post({ tasks: [{ id: 'task-1', type: 'shell', params: { command: 'hostname' } }] })
    const styleA = await daemon.settled('task-1')
    await post({ tasks: [{ id: 'task-1', type: 'os', tool_name: 'shell', input: { command: 'hostname' } }] })
    const styleB = await daemon.settled('task-1')
    assert.equal(styleA.status, 'success', JSON.stringify(styleA))
    assert.deepEqual(styleB.result, styleA.result)
    for (const task of [styleA, styleB]) {
      assert.deepEqual([task.type, task.tool_name, task.input], ['os', 'shell', { command: 'hostname' }])
    }
  })
})

test('6 and 14 a client that polls as the guide says comes to the end of each kind', async () => {
  /** From 500 ms on, half as much more each time, 5 s at most; stops at the three last statuses. */
  const poll = async (id: string): Promise<unknown> => {
    for (let waitMs = 500; ; waitMs = Math.min(5000, waitMs * 1.5)) {
      const { status, result, error } = await daemon.get(id)
      if (status === 'success') return result
      if (status === 'failed' || status === 'skipped') return error
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
  }
  assert.equal((await daemon.request('GET', '/health')).status, 200)
  await post({ tasks: [{ id: 'try-noop', type: 'noop', params: { message: 'hello' } }] })
  assert.deepEqual(await poll('try-noop'), { ok: true, message: 'hello' })
  await post({ tasks: [{ id: 'try-timeout', type: 'sleep', params: { duration_ms: 60_000 }, timeout: 50 }] })
  assert.equal(await poll('try-timeout'), 'context deadline exceeded')
  await post({
    tasks: [
      { id: 'try-first', type: 'sleep', params: { duration_ms: 700 } },
      { id: 'try-second', type: 'shell', params: { command: 'not-listed' }, depends_on: ['try-first'] },
      { id: 'try-third', type: 'noop', depends_on: ['try-second'] },
    ],
  })
  assert.equal(await poll('try-third'), 'dependency try-second failed')
})

test('7 a file is written, then read', async () => {
  const accepted = await post({
    tasks: [
      {
        id: 'write-demo-file',
        type: 'file',
        params: { action: 'write', path: 'tmp/api-demo.txt', content: 'hello from execgo' },
      },
      {
        id: 'read-demo-file',
        type: 'file',
        params: { action: 'read', path: 'tmp/api-demo.txt' },
        depends_on: ['write-demo-file'],
      },
    ],
  })
  assert.deepEqual(
    { ...(accepted as object), graph_id: '' },
    { accepted: 2, task_ids: ['write-demo-file', 'read-demo-file'], graph_id: '' },
  )
  sameAs(await daemon.settled('read-demo-file'), {
    status: 'success',
    tool_name: 'file',
    result: { content: 'hello from execgo', size: 17 },
    '…': '',
  })
  assert.equal(await readFile(join(folder, 'tmp', 'api-demo.txt'), 'utf8'), 'hello from execgo')
})

describe('8 failures', () => {
  const refusal = 'command "not-a-real-whitelisted-command" is not in the allowed whitelist'

  test('8.1 and 8.2 a command off the list fails, and its dependent is skipped', async () => {
    await post({
      tasks: [
        { id: 'bad-shell', type: 'shell', params: { command: 'not-a-real-whitelisted-command' } },
        { id: 'downstream-task', type: 'noop', depends_on: ['bad-shell'] },
      ],
    })
    sameAs(await daemon.settled('bad-shell'), {
      status: 'failed',
      error: refusal,
      runtime: {
        status: 'failed',
        error: { code: 'external_failure', message: refusal, source: 'executor' },
        '…': '',
      },
      '…': '',
    })
    sameAs(await daemon.settled('downstream-task'), {
      id: 'downstream-task',
      depends_on: ['bad-shell'],
      status: 'skipped',
      error: 'dependency bad-shell failed',
      '…': '',
    })
  })

  test('8.3 a timeout, tried twice', async () => {
    await post({
      tasks: [{ id: 'timeout-demo', type: 'sleep', params: { duration_ms: 300 }, timeout: 100, retry: 1 }],
    })
    sameAs(await daemon.settled('timeout-demo'), {
      status: 'failed',
      retry: 1,
      timeout: 100,
      runtime: {
        status: 'failed',
        attempt: 2,
        duration_ms: 100,
        error: {
          code: 'timeout',
          message: 'context deadline exceeded',
          retryable: true,
          source: 'scheduler',
        },
        '…': '',
      },
      '…': '',
    })
  })
})

describe('9 the smallest params of each type', () => {
  const resultOf = async (type: string, params: object): Promise<any> => {
    const id = `smallest-${type}`
    await post({ tasks: [{ id, type, params }] })
    const task = await daemon.settled(id)
    assert.equal(task.status, 'success', JSON.stringify(task))
    return task.result
  }

  test('noop', async () => {
    assert.deepEqual(await resultOf('noop', { message: 'hello' }), { ok: true, message: 'hello' })
  })

  test('sleep', async () => {
    assert.deepEqual(await resultOf('sleep', { duration_ms: 500 }), { slept_ms: 500 })
  })

  test('shell, a command and a script', async () => {
    const { exit_code, runner, stdout } = await resultOf('shell', { command: 'hostname' })
    assert.deepEqual([exit_code, runner, stdout.trim() !== ''], [0, 'direct', true])
    const result = await resultOf('shell', { runner: 'auto', script: 'echo hello' })
    assert.deepEqual(result, { exit_code: 0, runner: 'sh', stderr: '', stdout: 'hello\n' })
  })

  test('file', async () => {
    await resultOf('file', { action: 'write', path: 'tmp/a.txt', content: 'a' })
    assert.deepEqual(await resultOf('file', { action: 'read', path: 'tmp/a.txt' }), { content: 'a', size: 1 })
  })

  test('http, where 4xx and 5xx are successes too', async () => {
    const server = createServer((request, response) => {
      response.statusCode = Number(request.url!.slice(1))
      response.end(request.method)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    for (const status_code of [200, 404, 500]) {
      const result = await resultOf('http', { url: `http://127.0.0.1:${port}/${status_code}`, method: 'GET' })
      assert.deepEqual(result, { status_code, body: 'GET' })
    }
    server.close()
  })

  test('dns', async () => {
    const { addrs, ...rest } = await resultOf('dns', { name: 'localhost', record: 'ip' })
    assert.deepEqual(rest, { name: 'localhost', record: 'ip' })
    assert.ok(addrs.includes('127.0.0.1') || addrs.includes('::1'), JSON.stringify(addrs))
  })

  test('tcp', async () => {
    const server = createTcpServer((socket) => socket.end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    assert.deepEqual(await resultOf('tcp', { address }), { ok: true, address })
    server.close()
  })
})

describe('10 list, delete, metrics', () => {
  test('10.1 the list is an array of tasks', async () => {
    const { status, body } = await daemon.request('GET', '/tasks')
    assert.equal(status, 200)
    assert.ok(body.some((task: { id: string }) => task.id === 'hello-noop'))
  })

  test('10.2 a deleted task is gone', async () => {
    const first = await daemon.request('DELETE', '/tasks/hello-noop')
    assert.deepEqual([first.status, first.body], [204, null])
    const second = await daemon.request('DELETE', '/tasks/hello-noop')
    assert.deepEqual([second.status, second.body], [404, { error: 'task not found: hello-noop' }])
  })

  test('10.3 metrics', async (t) => {
    const other = await startDaemon()
    t.after(() => other.stop())
    await other.submit([
      { id: 'a', type: 'noop' },
      { id: 'b', type: 'noop' },
      { id: 'c', type: 'shell', params: { command: 'not-a-real-whitelisted-command' } },
      { id: 'd', type: 'noop', depends_on: ['c'] },
    ])
    await other.allSettled()
    assert.deepEqual((await other.request('GET', '/metrics')).body, {
      tasks_total: 4,
      tasks_running: 0,
      tasks_succeeded: 2,
      tasks_failed: 2,
      by_type: { os: 4 },
    })
  })
})

describe('11 mcp', () => {
  test('11.1 its tools', async () => {
    const { status, body } = await daemon.request('GET', '/mcp/tools')
    assert.equal(status, 200)
    assert.deepEqual(body, {
      tools: [
        {
          name: 'mcp.execute',
          category: 'mcp',
          description: 'Execute MCP task and return handle',
          input_schema: { type: 'object' },
        },
      ],
    })
  })

  test('11.2 a call, and its handle', async () => {
    const call = await daemon.request('POST', '/mcp/call', {
      id: 'mcp-demo',
      tool_name: 'demo.echo',
      input: { hello: 'world' },
    })
    assert.equal(call.status, 202)
    const { task_id, status, handle_id } = call.body
    assert.equal(task_id, 'mcp-demo')
    assert.ok(['accepted', 'running', 'success'].includes(status), status)
    await daemon.settled('mcp-demo')
    const polled = await daemon.request('GET', `/mcp/tasks/${handle_id}`)
    assert.equal(polled.status, 200)
    sameAs(polled.body, {
      task_id: 'mcp-demo',
      status: 'success',
      handle_id: 'mcp-1775182513428872000',
      output: { echo: { hello: 'world' }, tool_name: 'demo.echo' },
      '…': '',
    })
    assert.equal(polled.body.handle_id, handle_id)
  })
})

describe('12 errors', () => {
  const refused = async (body: unknown): Promise<unknown> => {
    const answer = await daemon.request('POST', '/tasks', body)
    assert.equal(answer.status, 400)
    return answer.body
  }

  test('12.1 an empty graph', async () => {
    assert.deepEqual(await refused('{"tasks":[]}'), { error: 'task graph is empty' })
  })

  test('12.2 an unknown type', async () => {
    assert.deepEqual(await refused({ tasks: [{ id: 'bad-type', type: 'badtype' }] }), {
      error: 'unknown task type: badtype (available: cli-skills, mcp, os)',
    })
  })

  test('12.3 a task that is not there', async () => {
    const { status, body } = await daemon.request('GET', '/tasks/not-found')
    assert.deepEqual([status, body], [404, { error: 'task not found: not-found' }])
  })
})
