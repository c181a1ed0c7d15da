/**
 * The daemon under load, ended at a random moment, again and again: what clients were told must hold afterwards.
 *
 * ```
 * start ─► check all that clients know ─► clients at work ─► SIGKILL ──────────────────────────────────┐
 *   ▲                                                   └──► SIGSTOP, copy the files, SIGKILL: the copy ┤
 *   │                                                        is what a machine that lost power has      │
 *   └─────────────────────── now and then: the file of a copy cut off, for a start of its own ◄─────────┘
 * ```
 */
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SOON_MS, type TestDaemon, spawnDaemon } from '../../support/daemon.ts'
import { Client } from './client.ts'
import { Ledger } from './ledger.ts'
import { Random } from './random.ts'

/** After so many rounds everything must end, and a new directory is begun: lists stay short. */
const ROUNDS_ON_ONE_DIRECTORY = 20
const CLIENTS = 4

export interface Summary {
  rounds: number
  kills: number
  killsAtStart: number
  powerLosses: number
  cutsRefused: number
  cutsWhole: number
  tasks: number
  outcomesSeen: number
  relaxedKept: number
  relaxedLost: number
}

/** Plays `rounds` rounds; throws with the first promise that was broken. */
export const crashRounds = async (seed: number, rounds: number): Promise<Summary> => {
  const random = new Random(seed)
  const summary: Summary = {
    rounds: 0,
    kills: 0,
    killsAtStart: 0,
    powerLosses: 0,
    cutsRefused: 0,
    cutsWhole: 0,
    tasks: 0,
    outcomesSeen: 0,
    relaxedKept: 0,
    relaxedLost: 0,
  }
  while (summary.rounds < rounds) {
    const folder = await mkdtemp(join(tmpdir(), 'execgo-crash-'))
    const series = new Series(folder, random.fork(), summary)
    try {
      await series.play(Math.min(ROUNDS_ON_ONE_DIRECTORY, rounds - summary.rounds))
    } catch (error) {
      await series.letGo()
      const kept = `seed ${seed}, round ${summary.rounds}, files in ${folder}`
      throw new Error(`${error instanceof Error ? error.message : String(error)} (${kept})`, { cause: error })
    }
    await rm(folder, { recursive: true, force: true })
  }
  return summary
}

class Series {
  readonly #folder: string
  readonly #random: Random
  readonly #summary: Summary
  readonly #ledger = new Ledger()
  readonly #clients: readonly Client[]
  /** In the environment of the daemons and of every command that they start. */
  readonly #logPath: string
  #dataDir: string
  #copies = 0
  #daemon: TestDaemon | null = null

  constructor(folder: string, random: Random, summary: Summary) {
    this.#folder = folder
    this.#random = random
    this.#summary = summary
    this.#logPath = join(folder, 'attempts.log')
    this.#dataDir = join(folder, 'data')
    this.#clients = Array.from(
      { length: CLIENTS },
      (_, at) => new Client('abcdefgh'[at]!, random.fork(), this.#ledger),
    )
  }

  async play(rounds: number): Promise<void> {
    await mkdir(this.#dataDir)
    await writeFile(this.#logPath, '')
    for (let round = 0; round < rounds; round++) {
      await this.#round()
      this.#summary.rounds++
    }
    await this.#end()
  }

  /** After a failure: nothing is left running. */
  async letGo(): Promise<void> {
    await this.#daemon?.crash()
    await killCommands(this.#logPath)
  }

  async #start(): Promise<TestDaemon> {
    const daemon = await this.#spawn(this.#dataDir, this.#logPath)
    return daemon.listening()
  }

  async #spawn(dataDir: string, logPath: string): Promise<TestDaemon> {
    this.#daemon = await spawnDaemon({
      dataDir,
      args: ['-max-concurrency', '12'],
      env: {
        EXECGO_CRASH_LOG: logPath,
        EXECGO_STATE_JSON: this.#random.pick(['1', 'off', '30']),
      },
    })
    return this.#daemon
  }

  async #round(): Promise<void> {
    const random = this.#random
    if (random.chance(0.2)) {
      const hasty = await this.#spawn(this.#dataDir, this.#logPath)
      hasty.exited.catch(() => {})
      await sleep(random.whole(0, 600))
      await hasty.crash()
      await killCommands(this.#logPath)
      this.#summary.killsAtStart++
    }
    const daemon = await this.#start()
    this.#ledger.checkList(await list(daemon))
    const atWork = Promise.all(this.#clients.map((client) => client.run(daemon.url)))
    // A client that found something wrong is heard at once.
    await Promise.race([sleep(random.whole(20, 1200)), atWork])
    if (random.chance(0.4)) await this.#losePower(daemon)
    else {
      await daemon.crash()
      this.#summary.kills++
    }
    await atWork
    await killCommands(this.#logPath)
    if (random.chance(0.4)) await this.#cutOff()
  }

  async #losePower(daemon: TestDaemon): Promise<void> {
    daemon.child.kill('SIGSTOP')
    await untilStopped(daemon.child.pid!)
    const copy = join(this.#folder, `data-${++this.#copies}`)
    await cp(this.#dataDir, copy, { recursive: true })
    await daemon.crash()
    await rm(this.#dataDir, { recursive: true })
    this.#dataDir = copy
    this.#summary.powerLosses++
  }

  /** A copy that lacks its end: either nothing is missing, or the start is refused. */
  async #cutOff(): Promise<void> {
    const copy = join(this.#folder, 'cut')
    await cp(this.#dataDir, copy, { recursive: true })
    const file = join(copy, 'execgo.lmdb')
    const { size } = await stat(file)
    const length = this.#random.chance(0.3)
      ? Math.max(0, size - this.#random.whole(1, 40_000))
      : this.#random.whole(0, size - 1)
    await truncate(file, length)
    const daemon = await this.#spawn(copy, join(this.#folder, 'cut.log'))
    const what = `a file of ${size} bytes cut to ${length}`
    const hasStarted = await daemon.listening().then(
      () => true,
      () => false,
    )
    if (hasStarted) {
      const { body } = await daemon.request('GET', '/tasks')
      const ids = new Set((body as { id: string }[]).map(({ id }) => id))
      for (const { state, isRelaxed, entries } of this.#ledger.submissions) {
        if (state !== 'accepted' || isRelaxed) continue
        for (const { id, deleted } of entries)
          assert.ok(deleted !== 'no' || ids.has(id), `${what}: ${id} is lost`)
      }
      await daemon.crash()
      this.#summary.cutsWhole++
    } else {
      assert.equal(await daemon.exited, 1, `${what}: ${daemon.stderr}`)
      assert.ok(daemon.stderr.includes(file), daemon.stderr)
      assert.match(daemon.stderr, /damaged/)
      assert.equal((await stat(file)).size, length, 'a file that was refused is left as it is')
      this.#summary.cutsRefused++
    }
    await killCommands(join(this.#folder, 'cut.log'))
    await rm(copy, { recursive: true })
  }

  /** Everything ends; a last restart, a graceful one, changes nothing. */
  async #end(): Promise<void> {
    const daemon = await this.#start()
    this.#ledger.checkList(await list(daemon))
    const tasks = await daemon.allSettled()
    this.#ledger.checkList(tasks)
    const attempts = attemptsIn(await readFile(this.#logPath, 'utf8'))
    this.#ledger.checkEnd(tasks, attempts)
    await this.#checkGraphs(daemon, tasks)
    assert.equal(await daemon.stop(), 0)
    const again = await this.#start()
    assert.deepEqual(await list(again), tasks)
    await this.#checkGraphs(again, tasks)
    assert.equal(await again.stop(), 0)
    this.#summary.tasks += tasks.length
    this.#summary.outcomesSeen += this.#ledger.outcomesSeen
    this.#summary.relaxedKept += this.#ledger.relaxedKept
    this.#summary.relaxedLost += this.#ledger.relaxedLost
  }

  /** Counts that were kept up over every crash are those of the tasks. */
  async #checkGraphs(daemon: TestDaemon, tasks: readonly any[]): Promise<void> {
    const statuses = new Map<string, string>(tasks.map((task) => [task.id, task.status]))
    for (const { state, graphId, entries } of this.#ledger.submissions) {
      if (state !== 'accepted' || graphId === '') continue
      const { status, body } = await daemon.request('GET', `/graphs/${graphId}`)
      if (entries.every(({ deleted }) => deleted !== 'no')) {
        assert.ok(status === 200 || status === 404, JSON.stringify(body))
        continue
      }
      assert.equal(status, 200, JSON.stringify(body))
      assert.notEqual(body.status, 'running', `all tasks of ${graphId} are over: ${JSON.stringify(body)}`)
      assert.notEqual(body.status, 'pending', `all tasks of ${graphId} are over: ${JSON.stringify(body)}`)
      if (entries.some(({ deleted }) => deleted !== 'no')) continue
      const counts = { pending: 0, running: 0, success: 0, failed: 0, skipped: 0 }
      for (const { id } of entries) counts[statuses.get(id) as keyof typeof counts]++
      assert.deepEqual(body.counts, counts, graphId)
    }
  }
}

const list = async (daemon: TestDaemon): Promise<any[]> => {
  const { status, body } = await daemon.request('GET', '/tasks')
  assert.equal(status, 200)
  return body
}

const attemptsIn = (log: string): Map<string, number[]> => {
  const attempts = new Map<string, number[]>()
  for (const line of log.split('\n')) {
    const [id, attempt] = line.split(' ')
    if (id === undefined || attempt === undefined) continue
    attempts.set(id, [...(attempts.get(id) ?? []), Number(attempt)])
  }
  return attempts
}

/** A signal takes a moment to reach every thread. */
const untilStopped = async (pid: number): Promise<void> => {
  for (const end = Date.now() + SOON_MS; ; ) {
    const threads = await readdir(`/proc/${pid}/task`)
    const stats = await Promise.all(
      threads.map((id) => readFile(`/proc/${pid}/task/${id}/stat`, 'utf8').catch(() => ') T')),
    )
    if (stats.every((text) => text.slice(text.lastIndexOf(')') + 2).startsWith('T'))) return
    if (Date.now() > end) throw new Error(`process ${pid} does not stop`)
    await sleep(5)
  }
}

/** Ends what a daemon that was killed had started: processes that carry this series' log in their environment. */
const killCommands = async (logPath: string): Promise<void> => {
  const mark = `EXECGO_CRASH_LOG=${logPath}\0`
  for (let found = true; found; ) {
    found = false
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid)) continue
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
      if (!environment.includes(mark)) continue
      found = true
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // It ended by itself.
      }
    }
  }
}
