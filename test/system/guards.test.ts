/** Attacks on the real daemon, from outside: pages, strangers, and those who may less than they try. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { fetch } from '../support/checked-fetch.ts'
import { type RawAnswer, answerTo, expectRaw } from '../support/raw-answers.ts'
import { root, spawnDaemon, startDaemon, type TestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'

const TASK = { tasks: [{ id: 'a', type: 'noop' }] }

/** One request with any headers, also those that fetch does not let through. */
const raw = (url: string, method: string, headers: Record<string, string>, body = ''): Promise<RawAnswer> =>
  answerTo(httpRequest(url, { method, headers, agent: false }).end(body))

const newToken = (file: string, scope: string, name: string): string => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, 'dist/src/cli.js'), 'token', 'new', '--scope', scope, '--file', file, `--name=${name}`],
    { encoding: 'utf8' },
  )
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const withDaemon = async (
  env: Record<string, string>,
  use: (daemon: TestDaemon) => Promise<void>,
): Promise<void> => {
  const daemon = await startDaemon({ env })
  try {
    await use(daemon)
  } finally {
    await daemon.stop()
  }
}

test('a page whose name was rebound to 127.0.0.1 is refused', () =>
  withDaemon({}, async ({ url }) => {
    const port = new URL(url).port
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '10.0.0.1'])
      assert.equal((await raw(`${url}/tasks`, 'GET', { host })).status, 403, host)
    for (const host of [
      'localhost',
      `localhost:${port}`,
      '127.0.0.1',
      '127.9.9.9:1',
      `[::1]:${port}`,
      'LOCALHOST',
    ])
      assert.equal((await raw(`${url}/tasks`, 'GET', { host })).status, 200, host)
  }))

test('a form post or a fetch of another site is refused, its own pages and allowed ones are not', () =>
  withDaemon({ EXECGO_ALLOWED_ORIGINS: 'https://ci.example' }, async ({ url }) => {
    const body = JSON.stringify(TASK)
    const post = (headers: Record<string, string>) =>
      raw(`${url}/tasks`, 'POST', { 'content-type': 'text/plain', ...headers }, body)
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:1' },
      { origin: url.replace('http:', 'ftp:') },
      { 'sec-fetch-site': 'cross-site' },
    ] as Record<string, string>[]) {
      const { status, headers: answered } = await post(headers)
      assert.equal(status, 403, JSON.stringify(headers))
      assert.equal(answered['access-control-allow-origin'], undefined)
    }
    assert.equal((await raw(`${url}/tasks/a`, 'GET', {})).status, 404)
    assert.equal((await post({ origin: url, 'sec-fetch-site': 'same-origin' })).status, 202)
    const allowed = await post({ origin: 'https://ci.example', 'sec-fetch-site': 'cross-site' })
    assert.equal(allowed.status, 202)
    assert.equal(allowed.headers['access-control-allow-origin'], 'https://ci.example')
    const preflight = await raw(`${url}/tasks`, 'OPTIONS', { origin: 'https://ci.example' })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers['access-control-allow-origin'], 'https://ci.example')
    assert.equal((await raw(`${url}/tasks`, 'OPTIONS', { origin: 'https://evil.example' })).status, 403)
  }))

test('what a browser opens comes with the headers that keep it in', () =>
  withDaemon({}, async ({ url }) => {
    const { headers } = await raw(`${url}/health`, 'GET', { accept: 'text/html,*/*' })
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/)
  }))

test('without tokens, an address that is not loopback is taken with a warning', async () => {
  const daemon = await startDaemon({ args: ['-addr', '0.0.0.0:0'] })
  const warned = daemon.logLines.filter((line) => line.includes('"level":"warn"'))
  assert.equal(warned.length, 1)
  assert.match(warned[0]!, /-addr is open to other machines/)
  await daemon.stop()
})

test('tokens: who comes without, with a wrong one, or with one that may less', async (t) => {
  const file = join(await tempDir(t), 'auth.json')
  const tokens = Object.fromEntries(
    ['read', 'submit', 'cancel', 'admin'].map((scope) => [scope, newToken(file, scope, `the ${scope}`)]),
  )
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const text = await readFile(file, 'utf8')
  for (const token of Object.values(tokens)) assert.ok(!text.includes(token!))
  await withDaemon({ EXECGO_AUTH_FILE: file }, async (daemon) => {
    // What a browser opens without a token, and what asks whether the daemon lives.
    for (const path of ['/health', '/openapi.json', '/docs', '/docs/start.js', '/docs/swagger-ui.css'])
      assert.equal((await fetch(daemon.url + path)).status, 200, path)
    for (const headers of [{}, bearer('x'), { authorization: `Basic ${tokens.admin}` }, bearer('')]) {
      const { status, headers: answered } = await daemon.request(
        'GET',
        '/tasks',
        undefined,
        headers as Record<string, string>,
      )
      assert.equal(status, 401)
      assert.match(answered.get('www-authenticate') ?? '', /^Bearer/)
    }
    const REQUESTS: readonly (readonly [string, string, unknown, string, number])[] = [
      ['GET', '/tasks', undefined, 'read', 200],
      ['GET', '/health/../tasks', undefined, 'read', 200],
      ['GET', '/docs/../tasks', undefined, 'read', 200],
      ['GET', '/tasks/nope/why', undefined, 'read', 404],
      ['GET', '/metrics', undefined, 'read', 200],
      ['GET', '/mcp/tools', undefined, 'read', 200],
      ['POST', '/tasks/wait', { task_ids: ['nope'] }, 'read', 404],
      ['POST', '/tasks', TASK, 'submit', 202],
      ['POST', '/mcp/call', { tool_name: 'x' }, 'submit', 202],
      ['POST', '/graphs/nope/retry', undefined, 'submit', 404],
      ['POST', '/tasks/nope/cancel', undefined, 'cancel', 404],
      ['POST', '/graphs/nope/cancel', undefined, 'cancel', 404],
      ['DELETE', '/graphs/nope', undefined, 'cancel', 404],
    ]
    for (const [method, path, body, scope, expected] of REQUESTS) {
      for (const [name, token] of Object.entries(tokens)) {
        const { status, body: answer } = await daemon.request(method, path, body, bearer(token!))
        const may = name === scope || name === 'admin'
        assert.equal(status, may ? expected : 403, `${method} ${path} with ${name}`)
        if (!may) assert.equal(answer.error, `token "the ${name}" lacks the scope ${scope}`)
      }
    }
    // Paths that only become a route when they are read otherwise do not come cheaper.
    for (const path of [
      '/graphs/x/retry?/cancel',
      '/graphs/x/%72etry',
      '/%74asks',
      '/graphs/x\\retry',
      '/tasks/x/../../tasks',
    ])
      assert.equal(
        (await raw(daemon.url + path, 'POST', bearer(tokens.cancel!), JSON.stringify(TASK))).status,
        403,
        path,
      )
    // A new token works without a restart, and a removed one no longer does.
    const later = newToken(file, 'read', 'later')
    await untilStatus(daemon, later, 200)
    await writeFile(file, JSON.stringify({ tokens: [] }))
    await untilStatus(daemon, later, 401)
    assert.ok(!daemon.logLines.join('\n').includes(later))
  })
})

/** The first line of what is answered to GET, of any URL and from any host. */
const statusLineOf = async (url: string, path: string, host: string): Promise<string> => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 'latin1')
  const answer = await text(socket)
  const line = answer.split('\r\n')[0]!
  // What makes no URL finds no route.
  expectRaw(line.includes(' 400 ') ? '' : 'GET', path, answer)
  return line
}

test('tokens: no part of the host passes for a path that is open, nor the other way round', async (t) => {
  const file = join(await tempDir(t), 'auth.json')
  newToken(file, 'read', 'somebody')
  // On an address where any host is taken.
  const daemon = await startDaemon({ args: ['-addr', '0.0.0.0:0'], env: { EXECGO_AUTH_FILE: file } })
  t.after(() => daemon.stop())
  const refused = 'HTTP/1.1 400 Bad Request'
  for (const [path, host, expected] of [
    ['/tasks', 'localhost', 'HTTP/1.1 401 Unauthorized'],
    ['/health', 'Some.example:1', 'HTTP/1.1 200 OK'],
    ['/health', '[::1]:8080', 'HTTP/1.1 200 OK'],
    ['http://localhost/health', 'localhost', 'HTTP/1.1 200 OK'],
    ['http:///docs/tasks', 'localhost', refused],
    ['https:///docs/events', 'localhost', refused],
    // Its hostname, xn--a-eha, is as long as the whole of it.
    ['/health', '\u00fca/tasks?', refused],
    ['/docs', '\u00fca/tasks?', refused],
  ] as const)
    assert.equal(await statusLineOf(daemon.url, path, host), expected, `${path} of ${host}`)
})

const untilStatus = async (daemon: TestDaemon, token: string, wanted: number): Promise<void> => {
  for (const end = Date.now() + 30_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const { status } = await daemon.request('GET', '/tasks', undefined, bearer(token))
    if (status === wanted) return
    assert.ok(Date.now() < end, `still ${status}`)
  }
}

test('a file of tokens that must not be used refuses the start, with the reason', async (t) => {
  const file = join(await tempDir(t), 'auth.json')
  const hash = 'a'.repeat(64)
  const CASES: readonly (readonly [string | null, number, RegExp])[] = [
    [null, 0, /no such file/],
    ['{', 0o600, /it is not JSON/],
    ['{}', 0o600, /it has no list "tokens"/],
    ['{"tokens":[{"name":"x","scopes":["root"],"sha256":""}]}', 0o600, /tokens\[0\]\.scopes: expected/],
    ['{"tokens":[{"name":"x","scopes":["read"],"sha256":"ab"}]}', 0o600, /tokens\[0\]\.sha256: expected/],
    [`{"tokens":[{"name":"x","scopes":["read"],"sha256":"${hash}"}]}`, 0o644, /\(mode 644\): run chmod 600/],
  ]
  for (const [text, mode, expected] of CASES) {
    if (text !== null) {
      await writeFile(file, text)
      await chmod(file, mode)
    }
    const daemon = await spawnDaemon({ env: { EXECGO_AUTH_FILE: file } })
    assert.equal(await daemon.exited, 1)
    assert.match(daemon.stderr, /^execgo: EXECGO_AUTH_FILE: cannot use .*\n$/)
    assert.match(daemon.stderr, expected)
    await daemon.stop()
  }
})

test('the command line for tokens says what is wrong', async (t) => {
  const file = join(await tempDir(t), 'auth.json')
  const token = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'dist/src/cli.js'), 'token', ...args], { encoding: 'utf8' })
  newToken(file, 'read', 'x')
  for (const [args, code, expected] of [
    [
      ['new', '--scope', 'root', '--file', file],
      2,
      /--scope: expected read, submit, cancel, admin, got "root"/,
    ],
    [['new', '--scope', 'read'], 2, /required option '--file/],
    [['old'], 2, /unknown command 'old'/],
    [['new', '--scope=read', `--file=${file}`, '--name=x'], 1, /has a token of the name x already/],
    [['new', '--scope=read', '--file=/nowhere/auth.json'], 1, /cannot use \/nowhere\/auth.json: ENOENT/],
  ] as [string[], number, RegExp][]) {
    const { status, stdout, stderr } = token(...args)
    assert.equal(status, code, args.join(' '))
    assert.match(stderr, expected)
    assert.equal(stdout, '')
  }
  assert.equal(token('new', '--help').status, 0)
})

test('tokens that are made at once are all there, in a file of the same owner and mode', async (t) => {
  const folder = await tempDir(t)
  const file = join(folder, 'auth.json')
  newToken(file, 'read', 'first')
  await chmod(file, 0o640)
  const make = async (): Promise<string> => {
    const args = [join(root, 'dist/src/cli.js'), 'token', 'new', '--scope', 'read', '--file', file]
    return (await promisify(execFile)(process.execPath, args)).stdout.trim()
  }
  const made = await Promise.all(Array.from({ length: 12 }, make))
  const { tokens } = JSON.parse(await readFile(file, 'utf8')) as { tokens: { sha256: string }[] }
  const hashes = new Set(tokens.map(({ sha256 }) => sha256))
  assert.equal(tokens.length, 13)
  for (const token of made) assert.ok(hashes.has(createHash('sha256').update(token).digest('hex')))
  assert.equal((await stat(file)).mode & 0o777, 0o640)
  assert.deepEqual(await readdir(folder), ['auth.json'])
})

test('the policies reach the tools', async (t) => {
  const outside = await tempDir(t)
  const fileRoot = join(outside, 'root')
  await mkdir(fileRoot)
  await symlink(outside, join(fileRoot, 'out'))
  const env = { EXECGO_FILE_ROOT: fileRoot, EXECGO_NET_POLICY: 'public', EXECGO_SHELL_POLICY: 'strict' }
  await withDaemon(env, async (daemon) => {
    const { port } = new URL(daemon.url)
    await daemon.submit([
      { id: 'in', type: 'file', params: { action: 'write', path: 'a/b', content: 'x' } },
      { id: 'traversal', type: 'file', params: { action: 'write', path: '../x', content: 'x' } },
      { id: 'link', type: 'file', params: { action: 'write', path: 'out/x', content: 'x' } },
      { id: 'http', type: 'http', params: { url: `http://2130706433:${port}/tasks` } },
      { id: 'tcp', type: 'tcp', params: { address: `localhost:${port}` } },
      { id: 'script', type: 'shell', params: { script: 'echo hi' } },
    ])
    assert.equal((await daemon.settled('in')).status, 'success')
    assert.equal(await readFile(join(fileRoot, 'a/b'), 'utf8'), 'x')
    for (const id of ['traversal', 'link', 'http', 'tcp', 'script'])
      assert.equal((await daemon.settled(id)).runtime.error.code, 'denied', id)
  })
  const refused = await spawnDaemon({ env: { EXECGO_FILE_ROOT: join(outside, 'none') } })
  assert.equal(await refused.exited, 1)
  assert.match(refused.stderr, /^execgo: EXECGO_FILE_ROOT: cannot use .*no such file.*\n$/)
  await refused.stop()
})
