import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Command, runCommand } from '../../../../workers/process/command.ts'
import { isAlive } from '../../../support/commands.ts'
import type { ProcessStarter } from '../../../../workers/process/starter.ts'
import {
  type AttemptOptions,
  attemptOf as attemptWith,
  eventually,
  holdingsFor,
  openStarter,
  pidIn,
} from '../support.ts'
import { SPAWN_WAYS } from '../../../support/spawn-ways.ts'

process.env['EXECGO_TLS_KEY'] = 'hidden'
process.env['EXECGO_OTHER_SECRET_FILE'] = 'hidden'
process.env['EXECGO_api_token'] = 'hidden'
process.env['EXECGO_ADDR'] = 'shown'

const scratch = mkdtempSync(join(tmpdir(), 'execgo-command-'))
const left: number[] = []
after(() => {
  for (const pid of left) {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  }
  rmSync(scratch, { recursive: true })
})

let files = 0
const freshFile = (): string => join(scratch, `pid-${++files}`)

const script = (text: string, more: Partial<Command> = {}): Command => ({
  command: '/bin/sh',
  args: ['-c', text],
  dir: '',
  isOutputTogether: false,
  ...more,
})

/** A tree: one grandchild in the group, one with a session of its own, one that lost its parent besides. */
const familyScript = (files: readonly string[], prelude: string): string => `
  ${prelude}
  sh -c '${prelude} echo $$ > ${files[0]}; while :; do sleep 0.05; done' &
  setsid sh -c '${prelude} echo $$ > ${files[1]}; while :; do sleep 0.05; done' &
  (setsid sh -c '${prelude} echo $$ > ${files[2]}; while :; do sleep 0.05; done' &)
  echo $$ > ${files[3]}
  wait`

const suite = (way: ProcessStarter['way']): void => {
  const holdings = holdingsFor(16)
  let starter: ProcessStarter
  before(async () => {
    starter = await openStarter(way, holdings)
  })
  const attemptOf = (options: AttemptOptions = {}) => attemptWith({ starter, ...options })

  test('gives both outputs and the exit status', async () => {
    const result = await runCommand(script('echo out; echo err >&2; exit 3'), attemptOf())
    assert.deepEqual(result, {
      reason: 'exit status 3',
      exitCode: 3,
      signal: null,
      stdout: { text: 'out\n', truncatedBytes: 0 },
      stderr: { text: 'err\n', truncatedBytes: 0 },
    })
  })

  test('takes both outputs together in their order, and still starts the command itself', async () => {
    const text = 'for i in 1 2 3; do echo o$i; echo e$i >&2; done; exit 2'
    const result = await runCommand(script(text, { isOutputTogether: true }), attemptOf())
    assert.equal(result.stdout.text, 'o1\ne1\no2\ne2\no3\ne3\n')
    assert.equal(result.reason, 'exit status 2')
    const killed = await runCommand(script('kill -SEGV $$', { isOutputTogether: true }), attemptOf())
    assert.equal(killed.reason, 'signal: segmentation fault')
  })

  test('names the signal that ended it', async () => {
    const result = await runCommand(script('kill -9 $$'), attemptOf())
    assert.deepEqual([result.reason, result.exitCode], ['signal: killed', -1])
  })

  test('says why a command did not start', async () => {
    const why = async (command: Partial<Command>): Promise<string> => {
      const result = await runCommand({ ...script(''), ...command }, attemptOf())
      assert.equal(result.exitCode, -1)
      return result.reason
    }
    for (const isOutputTogether of [false, true]) {
      const not = (command: Partial<Command>) => why({ isOutputTogether, ...command })
      assert.equal(await not({ command: 'no-such' }), 'exec: "no-such": executable file not found in $PATH')
      assert.equal(await not({ command: '/no/such' }), 'fork/exec /no/such: no such file or directory')
      assert.equal(await not({ command: '/etc/passwd' }), 'fork/exec /etc/passwd: permission denied')
      assert.equal(await not({ command: '/tmp' }), 'fork/exec /tmp: permission denied')
      assert.equal(await not({ dir: '/no/dir' }), 'chdir /no/dir: no such file or directory')
      assert.equal(await not({ dir: '/etc/passwd' }), 'fork/exec /bin/sh: not a directory')
      assert.equal(await not({ args: ['a\0b'] }), 'fork/exec /bin/sh: invalid argument')
      assert.equal(await not({ args: ['x'.repeat(200_000)] }), 'fork/exec /bin/sh: argument list too long')
    }
  })

  test('runs in its folder with standard input closed, as the leader of a group', async () => {
    const result = await runCommand(
      script('pwd; cat; cut -d" " -f5 /proc/$$/stat; echo $$', { dir: '/' }),
      attemptOf(),
    )
    const [folder, group, pid] = result.stdout.text.split('\n')
    assert.equal(folder, '/')
    assert.equal(group, pid)
  })

  test('tells the command which attempt it is, and no secrets', async () => {
    const result = await runCommand(script('env'), attemptOf({ taskId: 'odd =\n"\0id' }))
    assert.match(result.stdout.text, /^EXECGO_TASK_ID=odd =\n"id$/m)
    assert.match(result.stdout.text, /^EXECGO_ATTEMPT=3$/m)
    assert.match(result.stdout.text, /^EXECGO_ADDR=shown$/m)
    assert.doesNotMatch(result.stdout.text, /hidden/)
  })

  test('three MiB keep their head and their tail', async () => {
    const text = 'echo first; head -c 3145728 /dev/zero | tr "\\0" x; echo last; echo small >&2'
    const { stdout, stderr } = await runCommand(script(text), attemptOf())
    assert.equal(stdout.text.length, 1024 * 1024)
    assert.ok(stdout.text.startsWith('first\nxx'))
    assert.ok(stdout.text.endsWith('xxlast\n'))
    assert.equal(stdout.truncatedBytes, 2 * 1024 * 1024 + 11)
    assert.deepEqual(stderr, { text: 'small\n', truncatedBytes: 0 })
  })

  test('output that is no text comes as text', async () => {
    const { stdout } = await runCommand(script("printf 'a\\377\\000b'"), attemptOf())
    assert.equal(stdout.text, 'a\ufffd\0b')
  })

  test('is over when its process is, whoever holds its pipes, and leaves that one alone', async () => {
    const file = freshFile()
    const startedMs = performance.now()
    const result = await runCommand(script(`sleep 60 & echo $! > ${file}; echo hi`), attemptOf())
    assert.ok(performance.now() - startedMs < 10_000)
    assert.equal(result.stdout.text, 'hi\n')
    const pid = await pidIn(file)
    left.push(pid)
    assert.ok(isAlive(pid))
  })

  test('a background process that goes on printing does not hold it up', async () => {
    const file = freshFile()
    const text = `(while :; do echo more; sleep 0.01; done) & echo $! > ${file}; echo hi`
    const result = await runCommand(script(text), attemptOf())
    left.push(await pidIn(file))
    assert.match(result.stdout.text, /^hi$/m)
  })

  test('notes its group while it lives', async () => {
    const attempt = attemptOf()
    const file = freshFile()
    const running = runCommand(script(`echo $$; echo $$ > ${file}; exec sleep 60`), attempt)
    const pid = await pidIn(file)
    assert.ok(holdings.pids.includes(pid))
    assert.ok(isAlive(pid))
    attempt.abort(0, 'context deadline exceeded')
    const result = await running
    assert.equal(result.stdout.text, `${pid}\n`)
    assert.ok(holdings.pids.every((place) => place === 0))
  })

  test('an abort is SIGTERM first: the command may clean up', async () => {
    const file = freshFile()
    const attempt = attemptOf()
    const text = `trap 'echo bye; exit 7' TERM; echo $$ > ${file}; while :; do sleep 0.05; done`
    const running = runCommand(script(text), attempt)
    await pidIn(file)
    attempt.abort(60_000, 'context deadline exceeded')
    const result = await running
    assert.deepEqual([result.reason, result.stdout.text], ['exit status 7', 'bye\n'])
  })

  test('SIGTERM comes once to each process', async () => {
    const file = freshFile()
    const attempt = attemptOf()
    const text = `n=0; trap 'n=$((n+1))' TERM; echo $$ > ${file}
      while [ $n = 0 ]; do sleep 0.02; done; sleep 0.2; sleep 0.2; echo $n`
    const running = runCommand(script(text), attempt)
    await pidIn(file)
    attempt.abort(60_000, 'context deadline exceeded')
    assert.equal((await running).stdout.text, '1\n')
  })

  test('one that ignores SIGTERM is killed after the grace', async () => {
    const file = freshFile()
    const attempt = attemptOf()
    const running = runCommand(
      script(`trap '' TERM; echo $$ > ${file}; while :; do sleep 0.05; done`),
      attempt,
    )
    const pid = await pidIn(file)
    const startedMs = performance.now()
    attempt.abort(200, 'context deadline exceeded')
    assert.equal((await running).reason, 'signal: killed')
    assert.ok(performance.now() - startedMs >= 195)
    assert.ok(!isAlive(pid))
  })

  test('a second abort shortens the grace', async () => {
    const file = freshFile()
    const attempt = attemptOf()
    const running = runCommand(
      script(`trap '' TERM; echo $$ > ${file}; while :; do sleep 0.05; done`),
      attempt,
    )
    await pidIn(file)
    attempt.abort(600_000, 'context deadline exceeded')
    attempt.abort(0, 'context deadline exceeded')
    assert.equal((await running).reason, 'signal: killed')
  })

  test('the whole tree ends with it', async () => {
    const files = [freshFile(), freshFile(), freshFile(), freshFile()]
    const attempt = attemptOf()
    const running = runCommand(script(familyScript(files, '')), attempt)
    const pids = await Promise.all(files.map(pidIn))
    left.push(...pids)
    attempt.abort(60_000, 'context deadline exceeded')
    await running
    assert.deepEqual(pids.map(isAlive), [false, false, false, false])
  })

  test('grandchildren that ignore SIGTERM are killed after the grace, though the leader is gone', async () => {
    const files = [freshFile(), freshFile(), freshFile(), freshFile()]
    const attempt = attemptOf()
    const running = runCommand(
      script(familyScript(files, 'trap "" TERM;').replace('trap "" TERM;', '')),
      attempt,
    )
    const pids = await Promise.all(files.map(pidIn))
    left.push(...pids)
    attempt.abort(300, 'context deadline exceeded')
    await eventually(() => !isAlive(pids[3]!))
    assert.deepEqual(pids.slice(0, 3).map(isAlive), [true, true, true])
    await running
    assert.deepEqual(pids.map(isAlive), [false, false, false, false])
  })

  test('a grace of 0 kills at once', async () => {
    const files = [freshFile(), freshFile(), freshFile(), freshFile()]
    const attempt = attemptOf()
    const running = runCommand(script(familyScript(files, 'trap "" TERM;')), attempt)
    const pids = await Promise.all(files.map(pidIn))
    left.push(...pids)
    attempt.abort(0, 'context deadline exceeded')
    assert.equal((await running).reason, 'signal: killed')
    assert.deepEqual(pids.map(isAlive), [false, false, false, false])
  })

  test('aborting one command leaves another alone', async () => {
    const [first, second] = [freshFile(), freshFile()]
    const attempts = [attemptOf(), attemptOf()] as const
    const running = [first, second].map((file, n) =>
      runCommand(script(`echo $$ > ${file}; exec sleep 60`), attempts[n]!),
    )
    const pids = await Promise.all([pidIn(first), pidIn(second)])
    attempts[0].abort(1000, 'context deadline exceeded')
    await running[0]
    assert.deepEqual(pids.map(isAlive), [false, true])
    attempts[1].abort(0, 'context deadline exceeded')
    await running[1]
  })

  test('leaves no descriptor open', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length
    await runCommand(script('true'), attemptOf())
    const before = await eventually(open)
    for (let n = 0; n < 10; n++) {
      await runCommand(script('echo out; echo err >&2'), attemptOf())
      await runCommand(script('echo out', { isOutputTogether: true }), attemptOf())
      await runCommand(script('', { args: ['x'.repeat(200_000)] }), attemptOf())
      await runCommand(script('', { dir: '/no/dir' }), attemptOf())
    }
    await eventually(() => open() <= before)
  })
}

for (const way of SPAWN_WAYS) {
  describe(`by ${way}`, () => suite(way))
}
