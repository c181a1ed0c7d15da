/** The real scheduler and memory store over the deciding executor, with a clock that the test turns. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { SubmittedTask } from '../../src/domain/task.ts'
import type { Submission } from '../../src/scheduler/submit.ts'
import type { Log } from '../../src/scheduler/log.ts'
import { Scheduler } from '../../src/scheduler/scheduler.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { Commit, Durability } from '../../src/store/store.ts'
import { DecidingExecutor } from './deciding-executor.ts'
import { turn } from './eventually.ts'
import { planOf } from './tasks.ts'
import { tempDir } from './temp-dir.ts'

/** A memory store that notes in what order tasks ended. */
class NotingStore extends MemoryStore {
  readonly endedIds: string[] = []

  /** Every commit, with what it was asked for. */
  readonly commits: { readonly commit: Commit; readonly durability: Durability }[] = []
  /** Commits are made at once, and told when this resolves. */
  gate: Promise<void> | null = null
  /** Why commits are refused now; null for none. */
  broken: Error | null = null

  override commit(commit: Commit, durability: Durability): Promise<void> {
    this.commits.push({ commit, durability })
    if (this.broken !== null) return Promise.reject(this.broken)
    for (const task of commit.ended ?? []) this.endedIds.push(task.id)
    const committed = super.commit(commit, durability)
    return this.gate === null ? committed : committed.then(() => this.gate!)
  }
}

export interface Rig {
  readonly scheduler: Scheduler
  readonly executor: DecidingExecutor
  readonly store: NotingStore
  readonly dataDir: string
  readonly logged: string[]
  /** Accepts the tasks and lets begin what can. */
  submit(...tasks: readonly SubmittedTask[]): Promise<void>
  /** As `submit`; resolves to the graph's key, -1 for none. */
  submitWith(tasks: readonly SubmittedTask[], how?: Partial<Omit<Submission, 'plan'>>): Promise<number>
  /** Lets `ms` pass, and run what is due then. */
  pass(ms: number): Promise<void>
  /** Stops: what runs is killed at once. */
  stop(): Promise<void>
  /** The task as GET answers it; null where there is none. */
  get(id: string): Promise<any>
  /** `id: status error`, of each of the tasks. */
  states(...ids: readonly string[]): Promise<string[]>
}

export interface RigOptions {
  readonly slots?: number
  readonly dataDir?: string
  readonly graceMs?: number
  readonly maxUnfinished?: number
  readonly instantTools?: readonly string[]
}

/** 2026-04-03T10:14:23.805Z */
const BEGIN_MS = 1_775_211_263_805

/** Mocks `setTimeout` for the rest of the test: time passes in {@link Rig.pass} alone. */
export const mockTime = (t: TestContext): void => t.mock.timers.enable({ apis: ['setTimeout'] })

/** A rig that was not started. Time is mocked by the caller, once a test. */
export const rigOf = async (t: TestContext, options: RigOptions = {}): Promise<Rig> => {
  const dataDir = options.dataDir ?? (await tempDir(t))
  let passedMs = 0
  const nowMs = (): number => BEGIN_MS + passedMs
  const executor = new DecidingExecutor(nowMs)
  const store = new NotingStore({
    dataDir,
    saveEveryMs: 0,
    nowMs,
    onSaveError: (error) => assert.fail(String(error)),
  })
  const logged: string[] = []
  const note = (fields: object, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`)
  }
  const log: Log = { debug: note, info: note, warn: note, error: note }
  const scheduler = new Scheduler({
    store,
    executor,
    slots: options.slots ?? 10,
    maxUnfinished: options.maxUnfinished ?? 1_000_000,
    instantTools: new Set(options.instantTools),
    graceMs: options.graceMs ?? 5000,
    nowMs,
    monotonicMs: () => passedMs,
    log,
  })
  const get = async (id: string): Promise<any> => {
    // What ended goes to the store one commit at a time.
    await turn()
    return JSON.parse((await store.get(id)) ?? 'null')
  }
  const pass = async (ms: number): Promise<void> => {
    passedMs += ms
    t.mock.timers.tick(ms)
    await turn()
  }
  const submitWith = async (
    tasks: readonly SubmittedTask[],
    how: Partial<Omit<Submission, 'plan'>> = {},
  ): Promise<number> => {
    const submitted = await scheduler.submit({
      plan: planOf(tasks),
      onConflict: 'replace',
      isRelaxed: false,
      ...how,
    })
    assert.ok(submitted.ok, 'it was refused')
    await turn()
    return submitted.value.graph?.key ?? -1
  }
  return {
    scheduler,
    executor,
    store,
    dataDir,
    logged,
    get,
    async submit(...tasks) {
      await submitWith(tasks)
    },
    submitWith,
    pass,
    async stop() {
      const stopped = scheduler.stop(1)
      await pass(1)
      await stopped
    },
    async states(...ids) {
      const states: string[] = []
      for (const id of ids) {
        const task = await get(id)
        states.push(`${id}: ${task?.status ?? 'none'}${task?.error === undefined ? '' : ` ${task.error}`}`)
      }
      return states
    },
  }
}

/** A rig with its scheduler started. */
export const startRig = async (t: TestContext, options: RigOptions = {}): Promise<Rig> => {
  mockTime(t)
  const rig = await rigOf(t, options)
  await rig.scheduler.start()
  await turn()
  return rig
}
