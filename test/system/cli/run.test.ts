/** `execgo run`: what is tried first. The real program, without a daemon. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { cli, hasTerminals, inTerminal, startCli, startInTerminal } from '../../support/cli.ts'
import { gone } from '../../support/commands.ts'
import { root } from '../../support/daemon.ts'
import { eventually } from '../../support/eventually.ts'
import { stdioServer } from '../../support/mcp.ts'
import { tempDir } from '../../support/temp-dir.ts'

const graphOf = (...tasks: object[]): string => JSON.stringify({ tasks })

const shell = (id: string, script: string, more: object = {}) => ({
  id,
  type: 'shell',
  params: { script },
  ...more,
})

describe('execgo run', () => {
  test('succeeds with 0, a table on stdout and the rest on stderr', async () => {
    const input = graphOf(shell('greet', 'echo hello; echo there'), {
      id: 'end',
      type: 'noop',
      depends_on: ['greet'],
    })
    const { code, stdout, stderr } = await cli(['run', '-'], { input })
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^TASK +STATUS +TOOK +ATTEMPTS\ngreet +success +[\d.]+m?s +1 +there\nend +success +\d+ms +1 .*\n$/,
    )
    assert.match(stderr, /^✓ 2 tasks in [\d.]+m?s\n$/)
  })

  test('fails with 1: failures as they occur with their last lines, and what was skipped', async () => {
    const input = graphOf(
      shell('bad', 'seq 20; echo why >&2; exit 3', { retry: 1 }),
      { id: 'after', type: 'noop', depends_on: ['bad'] },
      { id: 'other', type: 'noop' },
    )
    const { code, stdout, stderr } = await cli(['run', '-'], { input })
    assert.equal(code, 1)
    assert.match(stdout, /^bad +failed +[\d.]+m?s +2 +command failed: exit status 3$/m)
    assert.match(stdout, /^after +skipped +dependency bad failed$/m)
    const told = stderr.split('\n')
    assert.match(told[0]!, /^✗ bad failed after [\d.]+m?s in attempt 2: command failed: exit status 3$/)
    assert.deepEqual(told.slice(1, 4), ['  stdout', '  │ … 10 lines before', '  │ 11'])
    assert.deepEqual(told.slice(13, 15), ['  stderr', '  │ why'])
    assert.match(told[15]!, /^✗ 1 failed, 1 skipped, 1 succeeded in /)
  })

  test('a failure that is allowed is none', async () => {
    const input = graphOf(shell('may', 'exit 1', { allow_failure: true }))
    const { code, stderr } = await cli(['run', '-'], { input })
    assert.equal(code, 0)
    assert.match(stderr, /✓ 1 failed \(1 allowed\) in /)
  })

  test('-o json and yaml give the tasks as a client sees them', async () => {
    const input = graphOf(shell('a', 'echo 1'), shell('b', 'exit 1'))
    const { code, stdout } = await cli(['run', '-', '-o', 'json'], { input })
    assert.equal(code, 1)
    const tasks = JSON.parse(stdout)
    assert.deepEqual(
      tasks.map(({ id, status, result }: any) => [id, status, result.exit_code]),
      [
        ['a', 'success', 0],
        ['b', 'failed', 1],
      ],
    )
    assert.match((await cli(['run', '-', '-o', 'yaml'], { input })).stdout, /^- id: a\n/)
  })

  test('-v tells what every task put out', async () => {
    const input = graphOf(shell('a', 'echo one; echo two'))
    const { stderr } = await cli(['run', '-v', '-'], { input })
    assert.match(stderr, /^✓ a {2}[\d.]+m?s\n {2}│ one\n {2}│ two\n/)
  })

  test('--fail-fast cancels what is left', async () => {
    const input = graphOf(shell('bad', 'exit 1'), {
      id: 'long',
      type: 'sleep',
      params: { duration_ms: 600_000 },
    })
    const { code, stderr } = await cli(['run', '--fail-fast', '-'], { input })
    assert.equal(code, 1)
    assert.match(stderr, /A task failed: cancelling what is left\.\n/)
    assert.match(stderr, /1 failed, 1 cancelled in/)
  })

  test('--fail-fast lets a failure be that is allowed', async () => {
    const nap = { id: 'nap', type: 'sleep', params: { duration_ms: 500 } }
    const input = graphOf(shell('may', 'exit 1', { allow_failure: true }), nap)
    const { code, stderr } = await cli(['run', '--fail-fast', '-'], { input })
    assert.equal(code, 0)
    assert.match(stderr, /✓ 1 failed \(1 allowed\), 1 succeeded in/)
  })

  test('parameters are filled in, and what is wrong with them is refused with its place', async (t) => {
    const folder = await tempDir(t)
    const file = join(folder, 'graph.yaml')
    await writeFile(
      file,
      `params: { who: world, ms: 5 }
tasks:
  - id: greet
    type: shell
    params:
      script: 'HOME=here; echo "hello \${{ params.who }} from \${HOME}"'
  - { id: nap, type: sleep, params: { duration_ms: '\${{ params.ms }}' }, timeout: '\${{ params.limit }}' }
`,
    )
    const right = await cli(['run', file, '-o', 'json', '-p', 'who=Ada L.', '--param', 'limit:=60000'])
    assert.equal(right.code, 0, right.stderr)
    const [greet, nap] = JSON.parse(right.stdout)
    assert.equal(greet.result.stdout, 'hello Ada L. from here\n')
    assert.deepEqual([nap.result.slept_ms, nap.timeout], [5, 60_000])
    assert.deepEqual(await cli(['run', file]), {
      code: 2,
      stdout: '',
      stderr: `execgo: ${file}:7:83: params.limit is not given: --param limit=…, or a default under params\n`,
    })
    assert.deepEqual(await cli(['run', file, '-p', 'limit:=1', '-p', 'ms=soon', '-p', 'whom=x']), {
      code: 2,
      stdout: '',
      stderr:
        'execgo: --param ms: expected a number, got "soon"\n' +
        'execgo: --param whom: the graph has no such parameter (it has who, ms, limit)\n',
    })
    const typed = await cli(['run', file, '-p', 'limit=60000'])
    assert.deepEqual(
      [typed.code, typed.stderr],
      [2, `execgo: ${file}:7:83: expected an integer, got "60000"\n`],
    )
    // Without them, validate checks the rest.
    assert.equal((await cli(['validate', file])).code, 0)
    assert.equal((await cli(['validate', file, '-p', 'limit=60000'])).code, 2)
  })

  test('a graph that is wrong is refused with 2, every problem with its place', async (t) => {
    const folder = await tempDir(t)
    const file = join(folder, 'graph.yaml')
    const refusal = async (text: string, name = file): Promise<string> => {
      await writeFile(name, text)
      const { code, stdout, stderr } = await cli(['run', name])
      assert.deepEqual([code, stdout], [2, ''], stderr)
      return stderr
    }
    assert.equal(
      await refusal(
        'tasks:\n  - { id: a, type: shel }\n  - { id: a, type: noop, depends_on: [b], retry: x }\n',
      ),
      [
        ':2:20: unknown task type: shel (available: cli-skills, mcp, os): did you mean "shell"?',
        ':3:11: duplicate task id: "a"',
        ':3:39: task "a" depends on unknown task "b"',
        ':3:50: expected an integer, got "x"',
      ]
        .map((line) => `execgo: ${file}${line}\n`)
        .join(''),
    )
    assert.match(await refusal('tasks:\n  - [1\n'), /^execgo: .*graph\.yaml:3:1: /)
    assert.match(
      await refusal('{"tasks": [}', `${file}.json`),
      /^execgo: .*graph\.yaml\.json:1:12: Unexpected token/,
    )
    assert.match(await refusal(''), /task graph is empty/)
    assert.match(await refusal('a0: &a [x, x]\na1: &b [*a, *a]\ntasks: *b'), /expected/)
    const missing = await cli(['run', join(folder, 'none.yaml')])
    assert.match(missing.stderr, /^execgo: cannot read .*none\.yaml: there is no such file/)
    assert.equal(missing.code, 2)
    assert.equal((await cli(['run'])).code, 2)
    assert.equal((await cli(['run', '-', '-j', '0'], { input: graphOf() })).code, 2)
  })

  test('a field that would be ignored is warned of', async () => {
    const { code, stderr } = await cli(['run', '-'], {
      input: graphOf({ id: 'a', type: 'noop', depend_on: [] }),
    })
    assert.equal(code, 0)
    assert.match(stderr, /^-:1:35: warning: .*depend_on.*depends_on/)
  })

  test('the settings of the daemon hold, but for its data directory', async (t) => {
    const dataDir = join(await tempDir(t), 'daemon')
    const npm = graphOf({ id: 'npm', type: 'shell', params: { command: 'true' } })
    const strict = await cli(['run', '-'], { input: npm, env: { EXECGO_DATA_DIR: dataDir } })
    assert.equal(strict.code, 1)
    assert.match(
      strict.stderr,
      /not in the allowed whitelist\n(.*\n)* {2}EXECGO_SHELL_POLICY=open allows every command/,
    )
    assert.equal(existsSync(dataDir), false)
    const open = await cli(['run', '-'], { input: npm, env: { EXECGO_SHELL_POLICY: 'open' } })
    assert.equal(open.code, 0)
    const wrong = await cli(['run', '-'], { input: npm, env: { EXECGO_SHELL_POLICY: 'all' } })
    assert.deepEqual(
      [wrong.code, wrong.stderr],
      [2, 'execgo: EXECGO_SHELL_POLICY: expected allow-list, open or strict, got "all"\n'],
    )
    const own = await cli(['run', '-', '-o', 'json'], {
      input: graphOf({ id: 'sum', type: 'os', tool_name: 'sum', input: { numbers: [1, 2] } }),
      env: { EXECGO_TOOLS: 'test/support/own-tools.mjs' },
    })
    assert.deepEqual(JSON.parse(own.stdout)[0].result, { sum: 3, fields: ['numbers'] })
    const mcpConfig = join(await tempDir(t), 'mcp.json')
    await writeFile(mcpConfig, JSON.stringify({ mcpServers: { own: stdioServer() } }))
    const called = await cli(['run', '-', '-o', 'json'], {
      input: graphOf({ id: 'call', type: 'mcp', tool_name: 'own/pid' }),
      env: { EXECGO_MCP_CONFIG: mcpConfig },
    })
    assert.equal(called.code, 0, called.stderr)
    await gone(Number(/"text":"(\d+)"/.exec(called.stdout)?.[1]))
    const none = await cli(['run', '-'], { input: npm, env: { EXECGO_TOOLS: './nowhere.js' } })
    assert.equal(none.code, 1)
    assert.match(none.stderr, /Cannot find module/)
  })

  test('a temporary folder goes with it, and one that is given stays', async (t) => {
    const scratch = await tempDir(t)
    const [temporary, given] = [join(scratch, 'tmp'), join(scratch, 'data')]
    await mkdir(temporary)
    const env = { TMPDIR: temporary }
    const input = graphOf({ id: 'a', type: 'noop' })
    await cli(['run', '-'], { input, env })
    await cli(['run', '-'], { input: graphOf(shell('bad', 'exit 1')), env })
    await cli(['run', '-'], { input: graphOf({ id: 'a', type: 'wrong' }), env })
    assert.deepEqual(readdirSync(temporary), [])
    assert.equal((await cli(['run', '-', '--data-dir', given], { input, env })).code, 0)
    assert.ok(existsSync(join(given, 'execgo.lmdb')))
    const { stdout } = await cli(['run', '-', '--data-dir', given, '-o', 'json'], { input, env })
    assert.equal(JSON.parse(stdout).length, 1)
  })

  test('an interrupt cancels what runs and ends with 130; a second one kills it', async (t) => {
    const scratch = await tempDir(t)
    const pids = join(scratch, 'pids')
    const stubborn = `trap '' TERM; echo $$ >> ${pids}; while :; do sleep 0.1; done`
    const input = graphOf(shell('stubborn', stubborn), {
      id: 'after',
      type: 'noop',
      depends_on: ['stubborn'],
    })
    const env = { TMPDIR: scratch, EXECGO_GRACE_MS: '300' }
    const pid = (): number =>
      Number(existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n').at(-1) : 0)

    const once = startCli(['run', '-'], { input, env })
    await eventually('it runs', () => pid() > 0)
    once.child.kill('SIGINT')
    const { code, stdout, stderr } = await once.ended
    assert.equal(code, 130)
    assert.match(stderr, /^Cancelling what is left\. Ctrl\+C again ends it at once\.\n✗ 2 cancelled in /)
    assert.match(stdout, /^stubborn +cancelled /m)
    await gone(pid())

    const before = pid()
    const twice = startCli(['run', '-'], { input, env: { ...env, EXECGO_GRACE_MS: '600000' } })
    await eventually('it runs', () => pid() !== before)
    twice.child.kill('SIGTERM')
    await twice.says(/Cancelling/)
    await new Promise((resolve) => setTimeout(resolve, 150))
    twice.child.kill('SIGINT')
    assert.equal((await twice.ended).code, 130)
    await gone(pid())
    assert.deepEqual(readdirSync(scratch), ['pids'])
  })

  test('a terminal that is closed leaves nothing behind', async (t) => {
    const scratch = await tempDir(t)
    const [pids, file] = [join(scratch, 'pids'), join(scratch, 'graph.json')]
    await writeFile(file, graphOf(shell('long', `echo $$ > ${pids}; sleep 1000`)))
    const running = startInTerminal(`exec $EXECGO run ${file}`, { env: { TMPDIR: scratch } })
    await eventually('it runs', () => existsSync(pids) && readFileSync(pids, 'utf8').trim() !== '')
    running.child.kill('SIGKILL')
    await gone(Number(readFileSync(pids, 'utf8')))
    await eventually('it cleans up', () => readdirSync(scratch).length === 2)
  })

  test('ten thousand tasks are no matter', async () => {
    const tasks = Array.from({ length: 10_000 }, (_, at) => ({ id: `t${at}`, type: 'noop' }))
    const { code, stdout, stderr } = await cli(['run', '-'], { input: graphOf(...tasks) })
    assert.deepEqual([code, stdout], [0, ''])
    assert.match(stderr, /^✓ 10000 tasks in /)
  })

  test('the examples do what they say', async (t) => {
    const scratch = await tempDir(t)
    const hello = await cli(['run', 'examples/hello.yaml', '--param', 'name=Ada'])
    assert.equal(hello.code, 0)
    assert.match(hello.stdout, /^greet .* hello, Ada$/m)
    const to = join(scratch, 'archives')
    const archive = await cli(['run', 'examples/archive.yaml', '-p', 'from=.', '-p', `to=${to}`])
    assert.equal(archive.code, 0, archive.stderr)
    assert.deepEqual(readdirSync(to).sort(), ['docs.tar.gz', 'examples.tar.gz'])
    const failed = await cli(['run', 'examples/archive.yaml', '-p', 'from=/nowhere', '-p', `to=${to}-2`])
    assert.equal(failed.code, 1)
    assert.deepEqual(readdirSync(`${to}-2`), [])
    const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yaml'))
    assert.deepEqual(examples.sort(), ['archive.yaml', 'hello.yaml'])
  })
})

const CURSOR = { hide: '\u001b[?25l', show: '\u001b[?25h' }

describe('execgo run in a terminal', { skip: hasTerminals ? false : 'script is missing' }, () => {
  test('shows what runs, prints failures above it, and gives the cursor back', async (t) => {
    const file = join(await tempDir(t), 'graph.json')
    const evil = `evil-${'長い'.repeat(40)}\u001b[2J`
    await writeFile(
      file,
      graphOf(
        shell('bad', `sleep 0.6; printf 'one\\n\\033[2Jtwo %0200d\\n' 7; exit 1`, { retry: 1 }),
        { id: evil, type: 'sleep', params: { duration_ms: 2500 } },
        { id: 'after', type: 'noop', depends_on: ['bad'] },
      ),
    )
    const { code, stdout } = await inTerminal(`$EXECGO run ${file}; exit $?`)
    assert.equal(code, 1)
    assert.ok(stdout.lastIndexOf(CURSOR.show) > stdout.lastIndexOf(CURSOR.hide))
    assert.ok(stdout.includes(CURSOR.hide))
    assert.ok(!stdout.includes('\u001b[2J'))
    const plain = stripVTControlCharacters(stdout)
    assert.match(plain, /─+ {2}0\/3 done · 2 running · 1 waiting {2}[\d.]+s/)
    assert.match(plain, /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] bad .* attempt 2/)
    assert.match(plain, /↻ bad, attempt 1 failed: command failed: exit status 1/)
    assert.match(plain, /✗ bad failed after .*\n {2}│ one\n {2}│ two 0+…/)
    assert.match(plain, /\n✗ 1 failed, 1 skipped, 1 succeeded in [\d.]+s\n$/)
    // Lines that are printed once may be broken by the terminal; those that are drawn again may not.
    for (const line of plain.split('\n'))
      if (/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏━─]/.test(line)) assert.ok(stringWidth(line) < 80, line)
  })

  test('Ctrl+C, and colours', async (t) => {
    const file = join(await tempDir(t), 'graph.json')
    await writeFile(file, graphOf({ id: 'long', type: 'sleep', params: { duration_ms: 600_000 } }))
    for (const env of [{}, { NO_COLOR: '1' }]) {
      const running = startInTerminal(`$EXECGO run ${file}`, { env })
      await running.says(/long +\d/)
      running.child.stdin!.write('\u0003')
      const { code, stdout } = await running.ended
      assert.equal(code, 130)
      assert.match(stripVTControlCharacters(stdout), /✗ 1 cancelled in/)
      assert.ok(stdout.endsWith('s\r\n') && stdout.includes(CURSOR.show))
      assert.equal(stdout.includes('\u001b[3'), !('NO_COLOR' in env))
    }
  })
})
