import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { SOON_MS, root, spawnDaemon, startDaemon } from '../support/daemon.ts'
import { SPAWN_WAYS } from '../support/spawn-ways.ts'
import { tempDir } from '../support/temp-dir.ts'

const execgo = (args: readonly string[], env: Record<string, string> = {}) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'dist/src/cli.js'), ...args],
      { env: { ...process.env, ...env }, timeout: 60_000 },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })

test('a bad setting ends with 2 and one line that names it', async () => {
  for (const [args, env, expected] of [
    [
      ['-max-concurrency', 'many'],
      {},
      /^execgo: -max-concurrency: expected a whole number from 1 to \d+, got "many"\n$/,
    ],
    [['--addr=nowhere'], {}, /^execgo: -addr: expected .*, got "nowhere"\n$/],
    [[], { EXECGO_SHUTDOWN_TIMEOUT: '-1' }, /^execgo: EXECGO_SHUTDOWN_TIMEOUT: .*, got "-1"\n$/],
    [['-nope'], {}, /^execgo: unknown flag -nope .*\n$/],
    [['-addr'], {}, /^execgo: -addr: expected a value after it\n$/],
  ] as const) {
    const { code, stderr } = await execgo(args, env)
    assert.equal(code, 2)
    assert.match(stderr, expected)
  }
})

test('a taken port ends with 1 and one line that names the setting', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(taken.address() as { port: number }).port}`
  for (const flag of ['-addr', '-grpc-addr']) {
    const daemon = await spawnDaemon({ args: [flag, address] })
    assert.equal(await daemon.exited, 1)
    assert.match(daemon.stderr, new RegExp(`^execgo: ${flag}: cannot listen on ${address}: .*\n$`))
    await daemon.stop()
  }
  taken.close()
})

test('a taken port does not wait for what was left unfinished', async (t) => {
  const dataDir = await tempDir(t)
  const first = await startDaemon({ dataDir })
  await first.request('POST', '/tasks', {
    tasks: [{ id: 'long', type: 'sleep', params: { duration_ms: 600_000 } }],
  })
  await first.crash()
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => taken.close())
  const address = `127.0.0.1:${(taken.address() as { port: number }).port}`
  const second = await spawnDaemon({ dataDir, args: ['-addr', address, '-shutdown-timeout', '300'] })
  const late = new Promise((resolve) => setTimeout(resolve, SOON_MS, 'late').unref())
  assert.equal(await Promise.race([second.exited, late]), 1)
  await second.stop()
})

test('a file of MCP servers that cannot be used ends with 1 and one line that names the field', async (t) => {
  const file = join(await tempDir(t), 'mcp.json')
  const env = { EXECGO_MCP_CONFIG: file }
  for (const [content, problem] of [
    [null, 'ENOENT: .*'],
    ['{', 'it is no JSON: .*'],
    ['{"mcpServers":{"a":{"command":"x","args":[5]}}}', 'mcpServers.a.args.0: expected string, got 5'],
  ] as const) {
    if (content !== null) await writeFile(file, content)
    const daemon = await spawnDaemon({ env })
    assert.equal(await daemon.exited, 1)
    assert.match(daemon.stderr, new RegExp(`^execgo: EXECGO_MCP_CONFIG: cannot use ${file}: ${problem}\n$`))
    await daemon.stop()
  }
})

test('a data directory that cannot be written ends with 1 and one line that names the setting', async (t) => {
  const file = join(await tempDir(t), 'file')
  await writeFile(file, '')
  for (const dataDir of ['/proc/x', '/proc', file]) {
    const daemon = await spawnDaemon({ dataDir })
    assert.equal(await daemon.exited, 1)
    assert.match(daemon.stderr, new RegExp(`^execgo: -data-dir: cannot write in ${dataDir}: .*\n$`))
  }
})

test('it runs from its sources too, with worker threads in TypeScript', async () => {
  const daemon = await startDaemon({ fromSource: true })
  await daemon.submit([{ id: 'a', type: 'shell', params: { command: 'echo', args: ['hi'] } }])
  assert.equal((await daemon.settled('a')).result.stdout, 'hi\n')
  assert.equal(await daemon.stop(), 0)
})

const NO_KOFFI = `--require=${join(root, 'test/support/no-koffi.cjs')}`

test('it says once how commands start, and why where the best way does not work', async () => {
  const posix = [{ way: 'posix', reason: undefined, msg: 'commands start by posix_spawn' }]
  const node = (reason?: string) => [{ way: 'node', reason, msg: 'commands start by node:child_process' }]
  const [best] = SPAWN_WAYS
  for (const [env, expected] of [
    [{}, best === 'posix' ? posix : null],
    [{ EXECGO_SPAWN: 'node' }, node()],
    [{ NODE_OPTIONS: NO_KOFFI }, best === 'posix' ? node('no koffi for this machine') : null],
  ] as const) {
    const daemon = await startDaemon({ env })
    const told = daemon.logLines
      .filter((line) => line.includes('commands start by'))
      .map((line) => JSON.parse(line))
    if (expected !== null)
      assert.deepEqual(
        told.map(({ way, reason, msg }) => ({ way, reason, msg })),
        expected,
      )
    await daemon.submit([{ id: 'a', type: 'shell', params: { command: 'echo', args: ['hi'] } }])
    assert.equal((await daemon.settled('a')).result.stdout, 'hi\n')
    await daemon.stop()
  }
})

test('posix_spawn that was asked for and does not work ends with 1 and one line that names the setting', async () => {
  const daemon = await spawnDaemon({ env: { EXECGO_SPAWN: 'posix', NODE_OPTIONS: NO_KOFFI } })
  assert.equal(await daemon.exited, 1)
  assert.match(daemon.stderr, /^execgo: .*EXECGO_SPAWN: posix does not work here: .*\n$/)
  await daemon.stop()
})

test('help and version', async () => {
  const help = await execgo(['--help'])
  assert.equal(help.code, 0)
  for (const flag of ['-addr', '-grpc-addr', '-data-dir', '-max-concurrency', '-shutdown-timeout'])
    assert.ok(help.stdout.includes(flag))
  assert.match((await execgo(['-version'])).stdout, /^v\d+\.\d+\.\d+\n$/)
})
