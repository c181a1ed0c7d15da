/**
 * A restart changes nothing of what a task waits for: it waits for the records that it was accepted with, and knows how
 * they ended, also where these records are gone or their ids were given to others. Over the database.
 * @see contract A2, A4
 */
import assert from 'node:assert/strict'
import { type TestContext, describe, it } from 'node:test'
import type { SubmittedTask } from '../../../../src/domain/task.ts'
import { Scheduler } from '../../../../src/scheduler/scheduler.ts'
import type { OnConflict } from '../../../../src/scheduler/submit.ts'
import { LmdbStore } from '../../../../src/store/lmdb/lmdb-store.ts'
import { DecidingExecutor } from '../../../support/deciding-executor.ts'
import { turn } from '../../../support/eventually.ts'
import { mockTime } from '../../../support/scheduler-rig.ts'
import { planOf, submitted } from '../../../support/tasks.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const DELAY_MS = 1000
const quiet = (): void => {}

class Daemon {
  readonly #t: TestContext
  readonly #dataDir: string
  #nowMs = 1_775_211_263_805
  scheduler!: Scheduler
  executor!: DecidingExecutor
  store!: LmdbStore

  constructor(t: TestContext, dataDir: string) {
    this.#t = t
    this.#dataDir = dataDir
  }

  async start(): Promise<void> {
    const nowMs = (): number => this.#nowMs
    this.store = new LmdbStore({
      dataDir: this.#dataDir,
      nowMs,
      stateJsonEveryMs: 0,
      retention: { maxAgeMs: 0, maxTasks: 0 },
      onProblem: (error) => assert.fail(String(error)),
    })
    this.executor = new DecidingExecutor(nowMs)
    this.scheduler = new Scheduler({
      store: this.store,
      executor: this.executor,
      slots: 2,
      graceMs: 0,
      maxUnfinished: 100,
      instantTools: new Set(),
      nowMs,
      monotonicMs: nowMs,
      log: { debug: quiet, info: quiet, warn: quiet, error: (fields) => assert.fail(JSON.stringify(fields)) },
    })
    await this.scheduler.start()
  }

  async stop(): Promise<void> {
    const stopped = this.scheduler.stop(0)
    this.#t.mock.timers.tick(1)
    await stopped
  }

  /** Twice: what the first start wrote of it is read by the second. */
  async restart(): Promise<void> {
    for (let times = 0; times < 2; times++) {
      await this.stop()
      await this.start()
    }
  }

  async pass(ms: number): Promise<void> {
    this.#nowMs += ms
    this.#t.mock.timers.tick(ms)
    await this.kept()
  }

  /** Resolves when all that happened is kept. */
  async kept(): Promise<void> {
    for (let calm = 0; calm < 3; calm++) await this.store.commit({}, 'sync').then(turn)
  }

  async submit(onConflict: OnConflict, ...tasks: SubmittedTask[]): Promise<number> {
    const accepted = await this.scheduler.submit({ plan: planOf(tasks), onConflict, isRelaxed: false })
    assert.ok(accepted.ok)
    await this.kept()
    return accepted.value.graph!.key
  }

  async succeed(id: string): Promise<void> {
    this.executor.succeed(this.executor.ref(id))
    await this.kept()
  }

  async fail(id: string): Promise<void> {
    this.executor.fail(this.executor.ref(id))
    await this.kept()
  }

  async remove(id: string): Promise<void> {
    assert.ok((await this.scheduler.remove(id)).ok)
  }

  async told(id: string): Promise<string> {
    const { status, error } = JSON.parse((await this.store.get(id))!)
    return error === undefined ? status : `${status} ${error}`
  }
}

const later = (id: string, given: Partial<SubmittedTask> = {}): SubmittedTask =>
  submitted(id, { delayMs: DELAY_MS, ...given })

type Step = (daemon: Daemon) => Promise<unknown>

/** `last` depends on `a`, of its own graph. */
const ownGraph =
  (a: Partial<SubmittedTask> = {}): Step =>
  (daemon) =>
    daemon.submit('replace', submitted('a', a), later('last', { dependsOn: ['a'] }))
/** `last` waits for `b` too, and for no time. */
const two =
  (last: Partial<SubmittedTask> = {}): Step =>
  (daemon) =>
    daemon.submit(
      'replace',
      submitted('a'),
      submitted('b'),
      submitted('last', { dependsOn: ['a', 'b'], ...last }),
    )
const alarm: Step = (daemon) =>
  daemon.submit('replace', submitted('a'), submitted('last', { dependsOn: ['a'], runIf: 'failure' }))
const submitA: Step = (daemon) => daemon.submit('replace', submitted('a'))
/** `last` depends on an `a` that is there already. */
const joinA: Step = (daemon) => daemon.submit('ignore', submitted('a'), later('last', { dependsOn: ['a'] }))
const succeed: Step = (daemon) => daemon.succeed('a')
const fail: Step = (daemon) => daemon.fail('a')
const remove: Step = (daemon) => daemon.remove('a')
const restart: Step = (daemon) => daemon.restart().then(() => daemon.kept())
const retryGraph =
  (key: number): Step =>
  async (daemon) => {
    assert.ok((await daemon.scheduler.retryGraph(key)).ok)
    await daemon.kept()
  }

interface Case {
  readonly name: string
  readonly steps: readonly Step[]
  /** What `last` is told to be once its time has come and all that runs succeeded. `success` by default. */
  readonly comesTo?: string
  /** It never gets there without a restart: then it is a success. */
  readonly isByRestart?: true
}

const deleted = { comesTo: 'skipped dependency a deleted', isByRestart: true } as const

const CASES: readonly Case[] = [
  { name: 'a dependency succeeded and was deleted', steps: [ownGraph(), succeed, remove] },
  { name: 'one of two succeeded and was deleted, the other runs', steps: [two(), succeed, remove] },
  {
    name: 'a dependency failed with leave to and was deleted',
    steps: [ownGraph({ allowFailure: true }), fail, remove],
  },
  {
    name: 'a dependency succeeded and was deleted: an alarm is not needed',
    steps: [two({ runIf: 'failure' }), succeed, remove],
    comesTo: 'skipped no dependency failed',
  },
  { name: 'a dependency failed and was deleted: the alarm began', steps: [alarm, fail, remove] },
  { name: 'a dependency was deleted while it ran, and succeeded then', steps: [ownGraph(), remove, succeed] },
  { name: 'a dependency was deleted, and runs', steps: [ownGraph(), remove], ...deleted },
  {
    name: 'a dependency succeeded, and another record of its id failed',
    steps: [ownGraph(), succeed, submitA, fail],
  },
  {
    name: 'a dependency succeeded, and another record of its id waits',
    steps: [
      ownGraph(),
      succeed,
      (daemon) => daemon.submit('replace', later('a', { delayMs: 100 * DELAY_MS })),
    ],
  },
  { name: 'one of another graph had succeeded, and was deleted', steps: [submitA, succeed, joinA, remove] },
  { name: 'one of another graph succeeded, and was deleted', steps: [submitA, joinA, succeed, remove] },
  {
    name: 'one of another graph was found over a restart, succeeded, and was deleted',
    steps: [submitA, joinA, restart, succeed, remove],
  },
  {
    name: 'one of another graph was deleted while it ran, and succeeded then',
    steps: [submitA, joinA, remove, succeed],
  },
  { name: 'one of another graph was deleted, and runs', steps: [submitA, joinA, remove], ...deleted },
  {
    name: 'one of another graph succeeded, and another record of its id failed',
    steps: [submitA, joinA, succeed, submitA, fail],
  },
  {
    name: 'one of another graph failed with leave to, and its graph runs again',
    steps: [
      (daemon) => daemon.submit('replace', submitted('a', { allowFailure: true })),
      joinA,
      fail,
      retryGraph(1),
      (daemon) => daemon.scheduler.cancel('a'),
    ],
  },
  {
    name: 'its graph runs again, and what had succeeded was deleted since',
    steps: [two(), succeed, (daemon) => daemon.fail('b'), retryGraph(1), remove],
  },
]

describe('what a task depends on', () => {
  for (const { name, steps, comesTo = 'success', isByRestart } of CASES) {
    for (const isRestarted of [false, true]) {
      it(`${name}${isRestarted ? ', and the daemon was restarted' : ''}`, async (t) => {
        mockTime(t)
        const daemon = new Daemon(t, await tempDir(t))
        await daemon.start()
        for (const step of steps) await step(daemon)
        await daemon.kept()
        if (isRestarted) await daemon.restart()
        await daemon.kept()
        for (let rounds = 0; rounds < 3; rounds++) {
          const refs = [...daemon.executor.pending.keys()]
          if (refs.length > 0) daemon.executor.report(refs.map((ref) => daemon.executor.success(ref)))
          await daemon.pass(DELAY_MS)
        }
        assert.equal(await daemon.told('last'), isByRestart && !isRestarted ? 'success' : comesTo)
        await daemon.stop()
      })
    }
  }
})
