/** Errors say what went wrong and what to do about it; the exit code says whether trying again could help. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM, cli } from '../../support/cli.ts'
import { startDaemon } from '../../support/daemon.ts'

test('a daemon that is not there', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  for (const words of [['health'], ['list'], ['wait', 'a'], ['events'], ['bench']]) {
    const { code, stdout, stderr } = await cli(words, { env: { EXECGO_URL: `http://127.0.0.1:${port}` } })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /execgo: no answer: .*ECONNREFUSED/)
    assert.match(stderr, /Is the daemon running\? `execgo` starts one; EXECGO_URL says/)
  }
})

test('something else that listens there', async (t) => {
  const server = createServer((_, answer) => answer.end('<html>')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { code, stderr } = await cli(['health'], { env: { EXECGO_URL: `http://127.0.0.1:${port}` } })
  assert.equal(code, 1)
  assert.match(stderr, /an answer of .* is no JSON/)
})

test('an address that is none', async () => {
  for (const url of ['localhost:8080', 'nonsense', 'ftp://localhost']) {
    const { code, stderr } = await cli(['health'], { env: { EXECGO_URL: url } })
    assert.equal(code, 2)
    assert.match(stderr, /^execgo: EXECGO_URL: expected a URL like http:\/\/127\.0\.0\.1:8080, got /)
  }
})

test('no token, a wrong one, and one without the scope', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'execgo-cli-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'auth.json')
  const { stdout } = await cli(['token', 'new', '--scope', 'read', '--file', file, '--name', 'reader'])
  const daemon = await startDaemon({ env: { EXECGO_AUTH_FILE: file } })
  t.after(() => daemon.stop())
  const execgo = (words: readonly string[], token?: string) =>
    cli(words, {
      input: '{"tasks":[{"id":"a","type":"noop"}]}',
      env: { EXECGO_URL: daemon.url, ...(token === undefined ? {} : { EXECGO_TOKEN: token }) },
    })
  const none = await execgo(['list'])
  assert.equal(none.code, 2)
  assert.match(none.stderr, /a bearer token is required\n {2}Set EXECGO_TOKEN/)
  const wrong = await execgo(['list'], 'execgo_wrong')
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /the bearer token is not known\n.* does not know the token in EXECGO_TOKEN/)
  const reader = stdout.trim()
  assert.equal((await execgo(['list'], reader)).code, 0)
  const refused = await execgo(['submit', '-'], reader)
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /"reader" lacks the scope submit\n.*EXECGO_TOKEN.*execgo token new/)
  assert.equal((await execgo(['health'])).code, 0)
})

test('a daemon that is asked too often', async (t) => {
  const daemon = await startDaemon({
    env: { EXECGO_MAX_UNFINISHED_TASKS: '1' },
    args: ['-shutdown-timeout', '0'],
  })
  t.after(() => daemon.stop())
  const input = (id: string): string =>
    JSON.stringify({ tasks: [{ id, type: 'sleep', params: { duration_ms: 600_000 } }] })
  const env = { EXECGO_URL: daemon.url }
  assert.equal((await cli(['submit', '-'], { env, input: input('a') })).code, 0)
  const { code, stderr } = await cli(['submit', '-'], { env, input: input('b') })
  assert.equal(code, 1)
  assert.match(stderr, /\n {2}It is busy: try again in \d+ s\.\n$/)
})

test('a wrong command line', async () => {
  const cases: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [['lisst'], /unknown command 'lisst'\n\(Did you mean list\?\)\n\(execgo help says more\)/],
    [['help', 'lisst'], /unknown command 'lisst'\n\(execgo help says more\)/],
    [['help', 'token', 'old'], /unknown command 'old'\n\(execgo token --help says more\)/],
    [['list', '--statsu', 'x'], /unknown option '--statsu'\n\(Did you mean --status\?\)/],
    [['list', '--status', 'x'], /Allowed choices are pending, running, success, failed, skipped/],
    [['list', '--limit', '0'], /Expected a whole number from 1 to/],
    [['list', 'extra'], /too many arguments/],
    [['wait', 'a', '--timeout', '5'], /Expected a duration like 500ms, 30s, 5m or 1h/],
    [['submit'], /missing required argument 'file'/],
    [['submit', '-', '--param', 'x'], /Expected name=value/],
    [['submit', '-', '--timeout', '5s'], /--timeout is how long --wait waits/],
    [['get', '-o', 'xml', 'a'], /Allowed choices are table, json, yaml/],
    [['bench', '--seconds', '1000'], /Expected a whole number from 1 to 300/],
    [['run', '-j', '0', '-'], /'-j, --max-concurrency <n>' argument '0' is invalid/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
  ]
  for (const [words, says] of cases) {
    const { code, stdout, stderr } = await cli(words)
    assert.deepEqual([code, stdout], [2, ''], words.join(' '))
    assert.match(stderr, /^execgo: /)
    assert.match(stderr, says)
  }
})

test('an interrupt ends what waits for its standard input', async () => {
  for (const command of ['run', 'submit', 'validate']) {
    const child = spawn(process.execPath, [PROGRAM, command, '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
    const ended = once(child, 'exit')
    // More than fits in between: it has begun to read, and waits for the rest.
    await new Promise((resolve) => child.stdin.write(' '.repeat(2_000_000), resolve))
    child.kill('SIGINT')
    assert.deepEqual(await ended, [130, null], command)
  }
})

test('what cannot be read, in plain words', async () => {
  for (const [file, why] of [
    ['nowhere.yaml', 'there is no such file'],
    [tmpdir(), 'it is a folder'],
  ] as const)
    for (const command of ['run', 'submit', 'validate']) {
      const { code, stderr } = await cli([command, file])
      assert.deepEqual([code, stderr], [2, `execgo: cannot read ${file}: ${why}\n`])
    }
})

test('what the daemon refuses is found in its file by validate', async (t) => {
  const daemon = await startDaemon()
  t.after(() => daemon.stop())
  const folder = await mkdtemp(join(tmpdir(), 'execgo-cli-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'bad.yaml'), 'tasks: [{id: a, type: shel}]')
  const execgo = (...words: string[]) => cli(words, { cwd: folder, env: { EXECGO_URL: daemon.url } })
  const refused = await execgo('submit', 'bad.yaml')
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /^execgo: unknown task type: shel .*\n {2}execgo validate bad\.yaml says /)
  const shown = await execgo('graph', 'bad.yaml')
  assert.deepEqual(
    [shown.code, shown.stderr],
    [2, 'execgo: graph: bad.yaml is a file: with --format mermaid it is drawn\n'],
  )
})

test('an address with https of a daemon without', async (t) => {
  const daemon = await startDaemon()
  t.after(() => daemon.stop())
  const { code, stderr } = await cli(['health'], {
    env: { EXECGO_URL: daemon.url.replace('http:', 'https:') },
  })
  assert.equal(code, 1)
  assert.match(stderr, /\n {2}It does not speak HTTPS: does its URL begin with http:\/\/\?\n$/)
})

test('help of a command within another', async () => {
  const [one, other] = [await cli(['help', 'token', 'new']), await cli(['token', 'new', '--help'])]
  assert.deepEqual(one, other)
})

test('where there is nothing, a table says so', async (t) => {
  const daemon = await startDaemon()
  t.after(() => daemon.stop())
  const execgo = (...words: string[]) => cli(words, { env: { EXECGO_URL: daemon.url } })
  for (const [command, nothing] of [
    ['list', 'no tasks'],
    ['graph', 'no graphs'],
    ['events', 'no events'],
  ] as const) {
    const { code, stdout, stderr } = await execgo(command, '-o', 'table')
    assert.deepEqual([code, stdout, stderr], [0, '', `execgo: ${nothing}\n`])
    assert.equal((await execgo(command, '-o', 'json')).stderr, '')
  }
})

test('each command has a help with examples', async () => {
  const { stdout, code } = await cli(['help'])
  assert.equal(code, 0)
  const names = [...stdout.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name!)
  for (const name of ['submit', 'get', 'list', 'wait', 'cancel', 'retry', 'delete', 'events', 'why', 'graph'])
    assert.ok(names.includes(name), name)
  for (const name of names) {
    if (name === 'help') continue
    const words = name === 'token' ? [name, 'new'] : [name]
    const help = await cli([...words, '--help'])
    assert.deepEqual([help.code, help.stderr], [0, ''])
    assert.match(help.stdout, /\nExamples?:\n/, name)
    for (const line of help.stdout.split('\n')) assert.ok(line.length <= 80, `${name}: ${line}`)
  }
})
