/** What every way of starting processes must hold to, beside what a command sees of it: see command.test.ts. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type Command, type CommandResult, runCommand } from '../../../../workers/process/command.ts'
import { chooseStarter } from '../../../../workers/process/choose-starter.ts'
import { HoldingsTable } from '../../../../workers/process/holdings.ts'
import { type Libc, loadLibc } from '../../../../workers/process/posix-spawn/libc.ts'
import { PosixStarter } from '../../../../workers/process/posix-spawn/posix-starter.ts'
import type { ProcessStarter } from '../../../../workers/process/starter.ts'
import { childrenOf, descriptorsOf } from '../../../support/children.ts'
import { SPAWN_WAYS } from '../../../support/spawn-ways.ts'
import { attemptOf, eventually, holdingsFor, openStarter } from '../support.ts'
import type { Doom } from './fixtures/doomed-thread.ts'

/** Starts in a row; 100000 shows what only shows in the long run. */
const STARTS = Number(process.env['EXECGO_TEST_STARTS'] || '300')

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))

/** On Node 20 a thread has to ask tsx for its loader. */
const DOOMED_THREAD = `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
  register()
  return import(${JSON.stringify(fixture('doomed-thread.ts'))})
})`

const scratch = mkdtempSync(join(tmpdir(), 'execgo-starters-'))
after(() => rmSync(scratch, { recursive: true }))

const isDone = ({ pids, descriptors }: ReturnType<typeof holdingsFor>): boolean =>
  pids.every((pid) => pid === 0) && descriptors.every((fd) => fd === 0)

const suite = (way: ProcessStarter['way']): void => {
  const holdings = holdingsFor(4)
  let starter: ProcessStarter
  before(async () => {
    starter = await openStarter(way, holdings)
  })

  const run = (
    command: string,
    args: readonly string[] = [],
    more: Partial<Command> = {},
  ): Promise<CommandResult> =>
    runCommand({ command, args, dir: '', isOutputTogether: false, ...more }, attemptOf({ starter }))
  const sh = (text: string, more: Partial<Command> = {}) => run('sh', ['-c', text], more)

  test('a command starts with default signals, none of them blocked', async () => {
    // Node itself ignores SIGPIPE, and what a thread blocks its children would inherit.
    const { stdout } = await run('cat', ['/proc/self/status'])
    for (const set of ['SigBlk', 'SigIgn', 'SigCgt']) {
      assert.match(stdout.text, new RegExp(`^${set}:\t0+$`, 'm'))
    }
  })

  test('a command leads a group of its own, and does not reach the terminal that the daemon has', async () => {
    const { stdout } = await sh('echo $$; cut -d" " -f5 /proc/$$/stat')
    const [pid, group] = stdout.text.split('\n')
    assert.equal(group, pid)
    const command = [process.execPath, '--import', 'tsx', fixture('at-terminal.ts'), way].join(' ')
    const { stdout: said } = await promisify(execFile)('script', ['-qec', command, '/dev/null'])
    assert.equal(said.trim(), 'terminal here: true, there: none')
  })

  test('a command has three descriptors, and at most those of others besides', async () => {
    // What is not Node's own, glibc closes from 2.34 on.
    const isClosed = way === 'posix' && (await loadLibc()).actionsAddCloseFrom !== null
    const expected = isClosed
      ? '0\n1\n2\n'
      : execFileSync('sh', ['-c', 'ls /proc/$$/fd'], { encoding: 'utf8' })
    const running = Array.from({ length: 3 }, () => sh('sleep 0.2'))
    const { stdout } = await sh('ls /proc/$$/fd; readlink /proc/$$/fd/0')
    assert.equal(stdout.text, `${expected}/dev/null\n`)
    await Promise.all(running)
  })

  test('a command sees its name and its arguments as they were given', async () => {
    const args = ['/proc/self/cmdline', '', ' a  b', 'ü€😀', '\'"\\$']
    const { stdout } = await run('cat', args)
    assert.equal(stdout.text.split('\0').slice(0, -1).join('|'), ['cat', ...args].join('|'))
    const many = Array.from({ length: 500 }, (_, at) => `${at}€`.repeat(20))
    assert.equal((await run('echo', many)).stdout.text, `${many.join(' ')}\n`)
  })

  test('a folder and an environment may hold any character', async () => {
    const dir = join(scratch, 'Ordner – 目录 😀')
    mkdirSync(dir, { recursive: true })
    assert.equal((await run('pwd', [], { dir })).stdout.text, `${dir}\n`)
    const attempt = attemptOf({ starter, taskId: 'задача = "目录"\n😀' })
    const { stdout } = await runCommand(
      { command: 'sh', args: ['-c', 'printf %s "$EXECGO_TASK_ID"'], dir: '', isOutputTogether: false },
      attempt,
    )
    assert.equal(stdout.text, 'задача = "目录"\n😀')
  })

  test('a relative path means a file in the folder', async () => {
    const file = join(scratch, 'told')
    writeFileSync(file, '#!/bin/sh\necho "$1" from "$PWD"\n')
    chmodSync(file, 0o755)
    assert.equal((await run('./told', ['yes'], { dir: scratch })).stdout.text, `yes from ${scratch}\n`)
  })

  test('a script that names no interpreter is run by a shell', async () => {
    const file = join(scratch, 'bare')
    writeFileSync(file, 'echo "$0 $1"; exit 3\n')
    chmodSync(file, 0o755)
    for (const isOutputTogether of [false, true]) {
      const { stdout, reason } = await run(file, ['one'], { isOutputTogether })
      assert.deepEqual([stdout.text, reason], [`${file} one\n`, 'exit status 3'])
    }
  })

  test('an interpreter that is not there is told as a file that is not', async () => {
    const file = join(scratch, 'lost')
    writeFileSync(file, '#!/no/such/interpreter\n')
    chmodSync(file, 0o755)
    assert.equal((await run(file)).reason, `fork/exec ${file}: no such file or directory`)
  })

  test('every exit code and signal comes through', async () => {
    for (const code of [0, 1, 127, 128, 255]) assert.equal((await sh(`exit ${code}`)).exitCode, code)
    for (const [name, text] of [
      ['TERM', 'terminated'],
      ['ABRT', 'aborted'],
      ['USR2', 'user defined signal 2'],
    ] as const) {
      const { signal, reason, exitCode } = await sh(`kill -${constants.signals[`SIG${name}`]} $$`)
      assert.deepEqual([signal, reason, exitCode], [`SIG${name}`, `signal: ${text}`, -1])
    }
  })

  test('no output at all, and much on both pipes at once', async () => {
    const { stdout, stderr, reason } = await run('true')
    assert.deepEqual([stdout.text, stderr.text, reason], ['', '', ''])
    const much = await sh('head -c 700000 /dev/zero & head -c 900000 /dev/zero >&2; wait')
    assert.deepEqual([much.stdout.text.length, much.stderr.text.length], [700_000, 900_000])
  })

  test('what is left behind may hold one of the pipes, for a moment or for long', async () => {
    const long = await sh('echo out; echo err >&2; sleep 5 > /dev/null &')
    assert.deepEqual([long.stdout.text, long.stderr.text, long.reason], ['out\n', 'err\n', ''])
    const moment = await sh('(sleep 0.002; echo late) & echo first')
    assert.deepEqual([moment.stdout.text, moment.reason], ['first\nlate\n', ''])
  })

  test('one that closes its outputs is over when it ends, not before', async () => {
    const startedMs = performance.now()
    const result = await sh('echo first; exec >&- 2>&-; sleep 0.3; exit 5')
    assert.deepEqual([result.stdout.text, result.reason], ['first\n', 'exit status 5'])
    assert.ok(performance.now() - startedMs >= 290)
  })

  test('more commands at once than there is room to note', async () => {
    const results = await Promise.all(Array.from({ length: 12 }, (_, at) => sh(`sleep 0.1; echo ${at}`)))
    assert.deepEqual(
      results.map(({ stdout }) => stdout.text),
      results.map((_, at) => `${at}\n`),
    )
    await eventually(() => isDone(holdings))
  })

  test(`${STARTS} starts leave no zombie and no descriptor`, async () => {
    await run('true')
    const open = descriptorsOf(process.pid)
    let begun = 0
    const oneAfterTheOther = async (): Promise<void> => {
      while (begun < STARTS) {
        const word = String(begun++)
        const { stdout, stderr, reason } = await run('echo', [word])
        assert.deepEqual([stdout.text, stderr.text, reason], [`${word}\n`, '', ''])
      }
    }
    await Promise.all(Array.from({ length: 10 }, oneAfterTheOther))
    await eventually(() => isDone(holdings) && descriptorsOf(process.pid) <= open)
    assert.deepEqual(
      childrenOf(process.pid).filter(({ isZombie }) => isZombie),
      [],
    )
  })

  test("Node's own children go on beside it, and neither takes the other's ends", async () => {
    const nodes = async (code: number): Promise<void> => {
      const child = spawn('sh', ['-c', `sleep 0.0${code % 7}; exit ${code}`])
      assert.deepEqual(await once(child, 'exit'), [code, null])
    }
    const ours = async (code: number): Promise<void> => {
      assert.equal((await sh(`sleep 0.0${code % 5}; exit ${code}`)).exitCode, code)
    }
    await Promise.all(Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? nodes(at) : ours(at))))
  })

  test('where no descriptor is left it says so, and goes on when there are some', async () => {
    // Node loses some of its own at every start that fails so; there it is tried once.
    const atATime = way === 'posix' ? 1 : 1000
    const node = `"${process.execPath}" --import tsx "${fixture('few-descriptors.ts')}" ${way} ${atATime}`
    const { stdout } = await promisify(execFile)('sh', ['-c', `ulimit -n 64; exec ${node}`], {
      timeout: 60_000,
    })
    const { answers, lost } = JSON.parse(stdout)
    assert.deepEqual(answers, ['hi\n', 'fork/exec /bin/echo: too many open files'])
    if (way === 'posix') assert.ok(lost <= 0, `${lost} descriptors are lost`)
  })

  for (const isBusy of [false, true]) {
    test(`a thread that is ended ${isBusy ? 'amid its starts ' : ''}leaves nothing behind`, async () => {
      const open = descriptorsOf(process.pid)
      const left = holdingsFor(8)
      const doom: Doom = { way, holdings: left, isBusy }
      const thread = new Worker(DOOMED_THREAD, { eval: true, workerData: doom })
      await once(thread, 'message')
      assert.ok(childrenOf(process.pid).filter(({ isZombie }) => !isZombie).length >= 4)
      await thread.terminate()
      starter.inherit(left)
      // What Node started nobody can reap. Amid a start, one number may be in nobody's hands for a moment.
      const mostZombies = way === 'node' ? 1000 : Number(isBusy)
      await eventually(() => {
        const children = childrenOf(process.pid)
        return children.every(({ isZombie }) => isZombie) && children.length <= mostZombies
      })
      await eventually(() => descriptorsOf(process.pid) <= open + Number(isBusy))
    })
  }
}

test('without a wish it is posix_spawn wherever that works, and a wish is kept', async () => {
  const best = SPAWN_WAYS[0]!
  for (const [asked, way] of [
    ['auto', best],
    ['node', 'node'],
  ] as const) {
    const choice = await chooseStarter(asked, new HoldingsTable(holdingsFor(1)))
    assert.equal(choice.starter.way, way)
    assert.equal(choice.reason === '', asked === way || best === 'posix')
  }
})

if (SPAWN_WAYS.includes('posix')) {
  test('an output that comes in packets, of which each read gets one', async () => {
    const starter = await openStarter('posix', holdingsFor(1))
    const script = "printf 'a\\nb\\nc\\n' | dd bs=2 oflag=direct 2> /dev/null"
    const command = { command: 'sh', args: ['-c', script], dir: '', isOutputTogether: false }
    const { stdout } = await runCommand(command, attemptOf({ starter }))
    assert.equal(stdout.text, 'a\nb\nc\n')
  })

  test('a signal without a name has its number', async () => {
    const starter = await openStarter('posix', holdingsFor(1))
    const command = { command: 'sh', args: ['-c', 'kill -34 $$'], dir: '', isOutputTogether: false }
    const { signal, reason, exitCode } = await runCommand(command, attemptOf({ starter }))
    assert.deepEqual([signal, reason, exitCode], ['signal 34', 'signal: signal 34', -1])
  })

  test('a process that cannot be waited for is ended, and told as one that did not start', async () => {
    const libc = await loadLibc()
    const refusals: readonly Partial<Libc>[] = [{ pidfdOpen: () => -1 }]
    for (const refusal of refusals) {
      const holdings = holdingsFor(2)
      const starter = new PosixStarter(
        { ...libc, ...refusal, errno: () => constants.errno.ENOMEM },
        new HoldingsTable(holdings),
      )
      const open = descriptorsOf(process.pid)
      const result = await runCommand(
        { command: 'sleep', args: ['1000'], dir: '', isOutputTogether: false },
        attemptOf({ starter }),
      )
      assert.match(result.reason, /^fork\/exec \/.*\/sleep: cannot allocate memory$/)
      await eventually(() => childrenOf(process.pid).length === 0)
      await eventually(() => isDone(holdings) && descriptorsOf(process.pid) <= open)
    }
  })
}

// Node's way comes last: it leaves zombies of the threads that were ended.
for (const way of SPAWN_WAYS) {
  describe(`by ${way}`, () => suite(way))
}
