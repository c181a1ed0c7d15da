import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gone, isAlive, script } from '../support/commands.ts'
import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { SPAWN_WAYS } from '../support/spawn-ways.ts'

const suite = (way: string): void => {
  let daemon: TestDaemon
  let scratch: string
  before(async () => {
    daemon = await startDaemon({ env: { EXECGO_GRACE_MS: '300', EXECGO_SPAWN: way } })
    scratch = await mkdtemp(join(tmpdir(), 'execgo-commands-'))
  })
  after(async () => {
    await daemon.stop()
    await rm(scratch, { recursive: true, force: true })
  })

  test('a command that ignores SIGTERM is killed after the grace, and its children too', async () => {
    const pids = join(scratch, 'stubborn')
    await daemon.submit([
      {
        id: 'stubborn',
        ...script(
          `trap '' TERM; sh -c 'trap "" TERM; echo $$ >> ${pids}; while :; do sleep 1; done' & echo $$ >> ${pids}; while :; do sleep 1; done`,
        ),
        timeout: 400,
      },
    ])
    const task = await daemon.settled('stubborn')
    assert.equal(task.status, 'failed')
    assert.equal(task.error, 'context deadline exceeded')
    assert.equal(task.runtime.error.code, 'timeout')
    assert.equal(task.runtime.error.source, 'scheduler')
    const started = (await readFile(pids, 'utf8')).trim().split('\n').map(Number)
    assert.equal(started.length, 2)
    for (const pid of started) await gone(pid)
  })

  test('a command that leaves a background child is over when its own process exits', async () => {
    const startedAt = Date.now()
    await daemon.submit([{ id: 'background', ...script('sleep 100 & echo $!') }])
    const task = await daemon.settled('background')
    assert.equal(task.status, 'success')
    assert.ok(Date.now() - startedAt < 60_000)
    const pid = Number(task.result.stdout)
    assert.ok(isAlive(pid), 'the background child goes on')
    process.kill(pid, 'SIGKILL')
  })

  test('output over the limit keeps its beginning and its end', async () => {
    await daemon.submit([
      { id: 'loud', ...script('echo first; head -c 3000000 /dev/zero | tr "\\0" x; echo last') },
    ])
    const task = await daemon.settled('loud')
    assert.equal(task.status, 'success')
    assert.match(task.result.stdout, /^first/)
    assert.match(task.result.stdout, /last\n$/)
    assert.ok(Buffer.byteLength(task.result.stdout) <= 1024 * 1024 + 200)
    assert.ok(task.runtime.details.stdout_truncated_bytes > 1_900_000)
  })

  test('a command sees which task and attempt it is, and no secret of the daemon', async () => {
    const other = await startDaemon({
      env: { EXECGO_SPAWN: way, EXECGO_API_TOKEN: 'hush', EXECGO_SOMETHING: 'seen' },
    })
    await other.submit([
      {
        id: 'env',
        ...script(`echo "$EXECGO_TASK_ID $EXECGO_ATTEMPT \${EXECGO_API_TOKEN-none} $EXECGO_SOMETHING"`),
      },
    ])
    assert.equal((await other.settled('env')).result.stdout, 'env 1 none seen\n')
    await other.stop()
  })
}

for (const way of SPAWN_WAYS) {
  describe(`by ${way}`, () => suite(way))
}
