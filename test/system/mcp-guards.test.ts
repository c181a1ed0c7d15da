/** `/mcp` under the guards, and under clients that do what they should not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { type Socket, connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { addToken } from '../../src/api/guard/add-token.ts'
import { anonymousMb, descriptorsOf } from '../support/children.ts'
import { script } from '../support/commands.ts'
import { startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { call, connect, message, overHttp, overStdio, post } from '../support/mcp-client.ts'
import { tempDir } from '../support/temp-dir.ts'

const NOOP = { tasks: [{ id: 'a', type: 'noop' }] }

test('a token may call what its scopes say, and is told which one it lacks', async (t) => {
  const folder = await tempDir(t)
  const [file, log] = [join(folder, 'auth.json'), join(folder, 'audit.log')]
  const tokens = {
    read: addToken(file, 'reader', ['read']),
    submit: addToken(file, 'submitter', ['submit']),
    both: addToken(file, 'both', ['read', 'submit']),
    cancel: addToken(file, 'canceller', ['cancel']),
    admin: addToken(file, 'admin', ['admin']),
  }
  const daemon = await startDaemon({ env: { EXECGO_AUTH_FILE: file, EXECGO_AUDIT_LOG: log } })
  t.after(() => daemon.stop())
  const CALLS: readonly (readonly [string, Record<string, unknown>, Record<string, string>])[] = [
    ['submit_graph', NOOP, { read: 'submit', cancel: 'submit' }],
    ['run_graph', NOOP, { read: 'submit', submit: 'read', cancel: 'submit' }],
    ['get_task', { id: 'a' }, { submit: 'read', cancel: 'read' }],
    ['wait', { task_ids: ['a'] }, { submit: 'read', cancel: 'read' }],
    ['list_tasks', {}, { submit: 'read', cancel: 'read' }],
    ['cancel', { task_id: 'a' }, { read: 'cancel', submit: 'cancel', both: 'cancel' }],
  ]
  for (const [name, token] of Object.entries(tokens)) {
    const client = await overHttp(t, daemon.url, 'modern', token)
    assert.equal((await client.listTools()).tools.length, CALLS.length)
    for (const [tool, input, lacks] of CALLS) {
      const { refused = '' } = await call(client, tool, input)
      const lacking = lacks[name]
      if (lacking === undefined) assert.doesNotMatch(refused, /scope/, `${tool} with ${name}`)
      else
        assert.match(
          refused,
          new RegExp(`lacks the scope ${lacking}\\n.*Tell the user`),
          `${tool} with ${name}`,
        )
    }
  }
  // Over stdio it is the daemon that refuses.
  const { client } = await overStdio(t, daemon.url, 'modern', tokens.read)
  assert.ok((await call(client, 'list_tasks', {})).tasks.length > 0)
  assert.match((await call(client, 'submit_graph', NOOP)).refused, /lacks the scope submit/)
  const { client: stranger } = await overStdio(t, daemon.url, 'legacy', '')
  assert.match((await call(stranger, 'list_tasks', {})).refused, /a bearer token is required\n.*EXECGO_TOKEN/)

  await assert.rejects(overHttp(t, daemon.url, 'modern'), /bearer token|401|Unauthorized/i)
  const strange = await post(daemon.url, message('modern', 'tools/list', {}), { authorization: 'Bearer x' })
  assert.equal(strange.status, 401)
  assert.match(strange.headers.get('www-authenticate') ?? '', /^Bearer/)

  const lines = (await readFile(log, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ what }) => what.startsWith('POST /mcp '))
  const found = (who: string, tool: string, status: number): any =>
    lines.find((line) => line.who === who && line.what === `POST /mcp ${tool}` && line.status === status)
  assert.deepEqual(found('submitter', 'submit_graph', 200).ids, ['a'])
  assert.deepEqual(found('both', 'run_graph', 200).ids, ['a'])
  assert.match(found('reader', 'submit_graph', 403).reason, /lacks the scope submit/)
  assert.equal(found('canceller', 'cancel', 409)?.ids, undefined)
  // What only reads is not noted.
  assert.equal(found('reader', 'list_tasks', 200), undefined)
})

test('a web page cannot use it, unless it is allowed', async (t) => {
  const daemon = await startDaemon({ env: { EXECGO_ALLOWED_ORIGINS: 'https://ide.example' } })
  t.after(() => daemon.stop())
  const submit = message('legacy', 'tools/call', { name: 'submit_graph', arguments: NOOP })
  const ask = (
    headers: Record<string, string>,
    method = 'POST',
  ): Promise<{ status: number; allow: string }> =>
    new Promise((resolve, reject) => {
      const asked = httpRequest(
        `${daemon.url}/mcp`,
        { method, headers: { ...submit.headers, ...headers }, agent: false },
        (answer) => {
          answer.resume()
          resolve({
            status: answer.statusCode ?? 0,
            allow: String(answer.headers['access-control-allow-headers'] ?? ''),
          })
        },
      )
      asked.once('error', reject)
      asked.end(method === 'POST' ? submit.body : '')
    })
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'https://evil.example', 'content-type': 'text/plain' },
    { 'sec-fetch-site': 'cross-site' },
    { host: 'evil.example' },
  ] as Record<string, string>[])
    assert.equal((await ask(headers)).status, 403, JSON.stringify(headers))
  assert.equal((await daemon.request('GET', '/tasks/a')).status, 404)
  assert.match((await ask({ origin: 'https://ide.example' }, 'OPTIONS')).allow, /MCP-Protocol-Version/)
  assert.equal((await ask({ origin: 'https://ide.example' })).status, 200)
  assert.equal((await daemon.request('GET', '/tasks/a')).status, 200)
})

test('the limit on requests counts each call', async (t) => {
  const daemon = await startDaemon({ env: { EXECGO_RATE_LIMIT: '3' } })
  t.after(() => daemon.stop())
  const list = message('modern', 'tools/call', { name: 'list_tasks', arguments: {} })
  const statuses = await Promise.all(
    Array.from({ length: 12 }, async () => (await post(daemon.url, list)).status),
  )
  assert.ok(statuses.includes(200))
  assert.ok(statuses.includes(429))
  // Many in one request would not be.
  await new Promise((resolve) => setTimeout(resolve, 1100))
  const batch = await post(daemon.url, { ...list, body: `[${list.body},${list.body}]` })
  assert.equal(batch.status, 400)
  assert.match(await batch.text(), /batches are not taken/)
})

test('what is malformed, too large or of no kind that is known is refused, and the daemon goes on', async (t) => {
  const daemon = await startDaemon({ env: { EXECGO_MAX_BODY_BYTES: '100000' } })
  t.after(() => daemon.stop())
  const { headers } = message('legacy', 'x', {})
  const ask = async (body: string, more: Record<string, string> = {}): Promise<readonly [number, any]> => {
    const response = await post(daemon.url, { headers, body }, more)
    assert.match(response.headers.get('x-trace-id') ?? '', /./)
    const text = await response.text()
    return [response.status, text.startsWith('{') ? JSON.parse(text) : text]
  }
  const large = message('legacy', 'tools/call', {
    name: 'submit_graph',
    arguments: { tasks: [{ id: 'a', type: 'noop', params: { message: 'x'.repeat(100_000) } }] },
  })
  const CASES: readonly (readonly [string, number, number | null, Record<string, string>?])[] = [
    ['', 400, -32700],
    ['{', 400, -32700],
    ['[]', 400, -32600],
    ['7', 400, null],
    ['"text"', 400, null],
    ['{}', 400, null],
    ['{"jsonrpc":"1.0","id":1,"method":"tools/list"}', 400, null],
    ['{"jsonrpc":"2.0","id":{},"method":"tools/list"}', 400, null],
    [
      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":${'['.repeat(100)}${']'.repeat(100)}}`,
      400,
      -32700,
    ],
    [large.body, 413, -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/list"}', 415, null, { 'content-type': 'text/plain' }],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/list"}', 406, null, { accept: 'text/html' }],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/list"}', 400, null, { 'mcp-protocol-version': '1999-01-01' }],
  ]
  for (const [body, status, code, more] of CASES) {
    const [answered, problem] = await ask(body, more)
    assert.equal(answered, status, `${body.slice(0, 100)} ${JSON.stringify(problem)}`)
    if (code !== null) assert.equal(problem.error.code, code, body.slice(0, 100))
  }
  const { status } = await post(daemon.url, message('modern', 'subscriptions/listen', { notifications: {} }))
  assert.ok(status >= 200 && status < 500)
  for (const method of ['GET', 'DELETE', 'PUT']) {
    const refused = await fetch(`${daemon.url}/mcp`, { method, headers: { accept: 'text/event-stream' } })
    assert.equal(refused.status, 405)
    assert.equal(refused.headers.get('allow'), 'POST')
  }
  assert.equal((await post(daemon.url, message('modern', 'tools/list', {}))).status, 200)
  assert.equal((await daemon.request('GET', '/mcp/tools')).status, 200)
  assert.deepEqual(
    daemon.logLines.filter((line) => line.includes('"level":"error"')),
    [],
  )
})

/** Sends a request, and reads what comes of it until somebody hangs up. */
const hangOn = async (url: string, { headers, body }: ReturnType<typeof message>): Promise<Socket> => {
  const { hostname, port, host } = new URL(url)
  const socket = connectSocket(Number(port), hostname)
  socket.on('error', () => {}).resume()
  await once(socket, 'connect')
  const lines = Object.entries({ host, ...headers, 'content-length': String(Buffer.byteLength(body)) })
  socket.write(
    `POST /mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  )
  return socket
}

test('200 clients that vanish in the midst of a call leave nothing behind', {
  timeout: 300_000,
}, async (t) => {
  const daemon = await startDaemon({ env: { NODE_OPTIONS: '--max-old-space-size=192' } })
  t.after(() => daemon.stop())
  const pid = daemon.child.pid!
  const tasks = [{ id: 'awaited', type: 'sleep', params: { duration_ms: 600_000 } }]
  await daemon.submit(tasks)
  await post(daemon.url, message('modern', 'tools/list', {}))
  const wait = { name: 'wait', arguments: { task_ids: ['awaited'], timeout: '5m' } }
  const open = descriptorsOf(pid)
  const rounds: number[] = []
  for (let round = 0; round < 4; round++) {
    const sockets = await Promise.all(
      Array.from({ length: 200 }, (_, n) => {
        const run = {
          name: 'run_graph',
          arguments: { tasks: [{ ...tasks[0], id: `run-${round}-${n}` }], wait: '5m' },
          // Without progress nothing is sent before the answer: no stream tells that it was given up.
          ...(n % 8 === 0 ? { _meta: { progressToken: n } } : {}),
        }
        const given = n % 4 === 0 ? run : wait
        return hangOn(daemon.url, message(n % 2 === 0 ? 'modern' : 'legacy', 'tools/call', given))
      }),
    )
    await eventually('all of them wait', async () => {
      const { body } = await daemon.request('GET', `/tasks?prefix=run-${round}-&limit=100`)
      return body.length === 50
    })
    rounds.push(anonymousMb(pid))
    for (const socket of sockets) socket.resetAndDestroy()
    await eventually('the descriptors are closed', () => descriptorsOf(pid) <= open + 3)
  }
  t.diagnostic(`RssAnon ${rounds} MB`)
  assert.ok(rounds.at(-1)! <= rounds[0]! + 60, `${rounds} MB`)
  // By 2026-07-28 who hangs up has cancelled.
  const { body } = await daemon.request('POST', '/tasks/wait', {
    task_ids: Array.from({ length: 50 }, (_, n) => `run-3-${n * 4}`),
    timeout: '60s',
  })
  assert.equal(body.done, true)
  for (const task of body.tasks) assert.equal(task.run_status ?? task.status, 'cancelled', task.id)
  assert.equal((await daemon.get('awaited')).status, 'running')
})

for (const wire of ['http', 'stdio'] as const)
  test(`a run_graph that waits over ${wire} while the daemon stops`, async (t) => {
    const dataDir = await tempDir(t)
    const first = await startDaemon({ dataDir, args: ['-shutdown-timeout', '1'] })
    t.after(() => first.stop())
    const client = await connect(t, wire, 'modern', first.url)
    const id = `over-${wire}`
    const run = call(client, 'run_graph', { tasks: [{ id, ...script('sleep 4; echo done') }], wait: '2m' })
    run.catch(() => {})
    while ((await first.request('GET', `/tasks/${id}`)).status !== 200);
    await first.until(id, (task) => task.status === 'running')
    assert.equal(await first.stop(), 0)
    const again = await startDaemon({ dataDir, args: ['-addr', new URL(first.url).host] })
    t.after(() => again.stop())
    const answer = await run
    if (wire === 'http') {
      assert.equal(answer.done, false)
      assert.match(answer.notes[0], /shutting down/)
      const later = await connect(t, wire, 'legacy', again.url)
      const { tasks } = await call(later, 'wait', { graph_id: answer.graph.graph_id, timeout: '1m' })
      assert.equal(tasks[0].result.stdout, 'done\n')
    } else {
      // It was another process that stopped: the call is still there when the daemon is.
      assert.equal(answer.ok, true)
      assert.equal(answer.tasks[0].result.stdout, 'done\n')
    }
  })
