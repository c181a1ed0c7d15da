/**
 * Graphs that are submitted, cancelled, retried, replaced and removed, and a daemon that stops or crashes, at any
 * moment and in any order: after each step every record and every graph is what a simple model says.
 */
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, describe, it } from 'node:test'
import fc from 'fast-check'
import { graphIdOf } from '../../../src/domain/graph-record.ts'
import { RUN_IFS, type SubmittedTask } from '../../../src/domain/task.ts'
import type { Log } from '../../../src/scheduler/log.ts'
import { Scheduler } from '../../../src/scheduler/scheduler.ts'
import { ON_CONFLICTS, type OnConflict } from '../../../src/scheduler/submit.ts'
import { LmdbStore } from '../../../src/store/lmdb/lmdb-store.ts'
import { MemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { DecidingExecutor } from '../../support/deciding-executor.ts'
import { turn } from '../../support/eventually.ts'
import { LifeModel, type ModelGraph, type ModelTask, type Range, isOver } from '../../support/life-model.ts'
import { mockTime } from '../../support/scheduler-rig.ts'
import { planOf, submitted } from '../../support/tasks.ts'

const BEGIN_MS = 1_775_211_263_805
/** Longer than any wait between attempts. */
const LONG_MS = 20_000

/** Tasks `<prefix><n>`: those of one prefix meet again when another graph of it is submitted. */
const graphs = fc
  .tuple(
    fc.constantFrom('a', 'b'),
    fc.array(
      fc.record({
        dependencies: fc.array(fc.nat(), { maxLength: 3 }),
        type: fc.constantFrom('noop', 'shell'),
        allowFailure: fc.boolean(),
        runIf: fc.constantFrom('success' as const, ...RUN_IFS),
        retry: fc.nat(2),
        delayMs: fc.constantFrom(0, 0, 0, 0, 30_000),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  )
  .map(([prefix, drawn]): SubmittedTask[] =>
    drawn.map(({ dependencies, runIf, ...rest }, at) => {
      const dependsOn = at === 0 ? [] : [...new Set(dependencies.map((number) => `${prefix}${number % at}`))]
      return submitted(`${prefix}${at}`, {
        ...rest,
        dependsOn,
        runIf: dependsOn.length === 0 && runIf === 'failure' ? 'always' : runIf,
      })
    }),
  )

type Command =
  | { readonly do: 'submit'; readonly tasks: SubmittedTask[]; readonly onConflict: OnConflict }
  | { readonly do: 'end'; readonly endings: readonly Ending[] }
  | { readonly do: 'pass' | 'stop' | 'crash' }
  | {
      readonly do: 'cancel' | 'cancel graph' | 'retry graph' | 'remove' | 'remove graph'
      readonly at: number
    }

interface Ending {
  readonly at: number
  readonly how: 'succeeds' | 'fails' | 'is refused'
}

const commands = (maxLength: number): fc.Arbitrary<Command[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant('submit' as const),
          tasks: graphs,
          onConflict: fc.constantFrom('replace' as const, ...ON_CONFLICTS),
        }),
      },
      {
        weight: 9,
        arbitrary: fc.record({
          do: fc.constant('end' as const),
          endings: fc.array(
            fc.record({
              at: fc.nat(100),
              how: fc.constantFrom<Ending['how']>('succeeds', 'succeeds', 'fails', 'fails', 'is refused'),
            }),
            { minLength: 1, maxLength: 3 },
          ),
        }),
      },
      {
        weight: 8,
        arbitrary: fc.record({
          do: fc.constantFrom(
            'cancel',
            'cancel graph',
            'retry graph',
            'retry graph',
            'remove',
            'remove graph',
          ),
          at: fc.nat(100),
        }),
      },
      { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('pass', 'pass', 'stop', 'crash', 'crash') }) },
    ) as fc.Arbitrary<Command>,
    { minLength: 1, maxLength, size: 'max' },
  )

const failWith = (error: unknown): never => assert.fail(String(error))

const nothing = (): void => {}
const LOG: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: (fields) => failWith(JSON.stringify(fields)),
}

/** A daemon's life, from one start to the next. */
interface Life {
  readonly store: Store
  readonly scheduler: Scheduler
  readonly executor: DecidingExecutor
  /** Commits that are not kept yet. */
  busy: number
  /** Nothing of it reaches the disk any more. */
  isDead: boolean
}

class World {
  readonly #t: TestContext
  readonly #root: string
  readonly #slots: number
  readonly #openStore: (dataDir: string, nowMs: () => number) => Store
  readonly #model = new LifeModel(BEGIN_MS)
  #dirs = 0
  #dataDir = ''
  #life!: Life
  /** Slot → the task of the attempt that holds it. */
  readonly #tasks = new Map<number, ModelTask>()
  /** Graphs that were ever accepted. */
  readonly #keys: number[] = []
  #failures = 0

  constructor(
    t: TestContext,
    root: string,
    slots: number,
    openStore: (dataDir: string, nowMs: () => number) => Store,
  ) {
    this.#t = t
    this.#root = root
    this.#slots = slots
    this.#openStore = openStore
  }

  async start(): Promise<void> {
    if (this.#dataDir === '') this.#dataDir = await this.#newDir()
    const nowMs = (): number => this.#model.nowMs
    const store = this.#openStore(this.#dataDir, nowMs)
    const executor = new DecidingExecutor(nowMs)
    const scheduler = new Scheduler({
      store,
      executor,
      slots: this.#slots,
      maxUnfinished: 1_000_000,
      instantTools: new Set(),
      graceMs: 5000,
      nowMs,
      monotonicMs: nowMs,
      log: LOG,
    })
    const life: Life = { store, scheduler, executor, busy: 0, isDead: false }
    const commit = store.commit.bind(store)
    store.commit = async (...args) => {
      if (life.isDead) return new Promise<void>(() => {})
      life.busy++
      try {
        await commit(...args)
      } finally {
        life.busy--
      }
    }
    const noteStarts = store.noteStarts.bind(store)
    store.noteStarts = (tasks) => {
      if (!life.isDead) noteStarts(tasks)
    }
    this.#life = life
    await scheduler.start()
  }

  async take(command: Command): Promise<void> {
    switch (command.do) {
      case 'submit':
        return this.#submit(command.tasks, command.onConflict)
      case 'end':
        return this.#end(command.endings)
      case 'pass':
        return this.pass()
      case 'stop':
        return this.stopAndStart()
      case 'crash':
        return this.#crash()
      default:
        return this.#ask(command.do, command.at)
    }
  }

  /** Long enough for the longest wait between attempts. */
  pass(): void {
    this.#model.pass(LONG_MS)
    this.#t.mock.timers.tick(LONG_MS)
  }

  async stop(): Promise<void> {
    const stopped = this.#life.scheduler.stop(0)
    this.#t.mock.timers.tick(1)
    await stopped
    this.#life.isDead = true
  }

  async stopAndStart(): Promise<void> {
    await this.stop()
    await this.#restart(false)
  }

  /** Ends all that is left, well. */
  async finish(): Promise<void> {
    for (let rounds = 0; [...this.#model.open].length > 0; rounds++) {
      assert.ok(rounds < 1000, 'it does not come to an end')
      const count = this.#life.executor.pending.size
      if (count === 0) this.pass()
      else await this.#end(Array.from({ length: count }, () => ({ at: 0, how: 'succeeds' })))
      await this.check()
    }
  }

  /** Waits until nothing is under way but attempts, and compares everything. */
  async check(): Promise<void> {
    await this.#quiet()
    this.#seeBegun()
    const { executor, scheduler } = this.#life
    const [running, ready] = [this.#model.inState('running'), this.#model.inState('ready')]
    assert.equal(executor.pending.size, running.length, 'as many attempts as the model has')
    assert.ok(running.length <= this.#slots)
    if (ready.length > 0) assert.equal(running.length, this.#slots, 'a slot is free and a task is ready')
    assert.equal(scheduler.metrics().tasks_running, running.length)
    await this.#checkRecords()
    for (const graph of this.#model.graphs.values()) await this.#checkGraph(graph)
    for (const key of this.#keys) {
      if (!this.#model.graphs.has(key)) assert.equal(await this.#life.store.graph(key), null)
    }
  }

  async #quiet(): Promise<void> {
    for (let calm = 0; calm < 3; calm++) {
      await turn()
      if (this.#life.busy > 0) calm = -1
    }
  }

  /** Which of those that are ready begins is the scheduler's choice; the model is told. */
  #seeBegun(): void {
    const { executor } = this.#life
    for (const [ref, { taskId, graphKey, attempt }] of executor.pending) {
      const known = this.#tasks.get(ref)
      const task = this.#model.graphs.get(graphKey)?.tasks.get(taskId)
      assert.ok(task, `${taskId} of graph ${graphKey} runs, which nobody knows`)
      if (known === task && task.state === 'running' && task.attempts === attempt) continue
      assert.equal(task.state, 'ready', `${taskId} of graph ${graphKey} began`)
      if (task.mayRepeatNumber) assert.ok(attempt >= 1 && attempt <= task.attempts + 1, taskId)
      else assert.equal(attempt, task.attempts + 1, `attempt of ${taskId}`)
      this.#model.begin(task, attempt)
      this.#tasks.set(ref, task)
    }
  }

  async #checkRecords(): Promise<void> {
    const { store } = this.#life
    const { records } = this.#model
    const listed: string[] = []
    for await (const json of store.list()) listed.push((JSON.parse(json) as { id: string }).id)
    assert.deepEqual(listed.sort(), [...records.keys()].sort())
    for (const [id, task] of records) {
      const found = JSON.parse((await store.get(id)) ?? 'null')
      const what = `${id}: ${JSON.stringify(found)}`
      assert.equal(found?.status, LifeModel.status(task), what)
      assert.equal(found.graph_id, graphIdOf(task.graph.key), what)
      if (!isOver(task)) continue
      assert.equal(found.run_status === 'cancelled', task.isCancelled, what)
      if (task.errors.length === 0) assert.equal(found.error, undefined, what)
      else assert.ok(task.errors.includes(found.error), `${what}, and not ${task.errors.join(' or ')}`)
    }
  }

  async #checkGraph(graph: ModelGraph): Promise<void> {
    const found = await this.#life.store.graph(graph.key)
    const what = `${graphIdOf(graph.key)}: ${JSON.stringify(found)}`
    if (found === null) {
      assert.deepEqual(this.#model.recordsOf(graph), [], `${what} has records`)
      return
    }
    assert.equal(found.size, graph.tasks.size, what)
    const { success, failed, skipped } = found.counts
    assert.equal(success + failed + skipped, this.#model.overIn(graph), what)
    const ranges: Record<string, Range> = this.#model.counts(graph)
    for (const [name, [least, most]] of Object.entries(ranges)) {
      const count = found.counts[name as keyof typeof found.counts]
      assert.ok(count >= least && count <= most, `${what}: ${name} is not ${least} to ${most}`)
    }
    assert.equal(found.finishedMs > 0, this.#model.isGraphOver(graph), what)
  }

  async #submit(tasks: SubmittedTask[], onConflict: OnConflict): Promise<void> {
    const news = this.#model.news(tasks, onConflict === 'ignore')
    const hasConflict = tasks.some(({ id }) => this.#model.records.has(id))
    const { scheduler } = this.#life
    const submittedNow = await scheduler.submit({ plan: planOf(tasks), onConflict, isRelaxed: false })
    if (onConflict === 'reject' && hasConflict) {
      assert.equal(submittedNow.ok ? 'ok' : submittedNow.problem.code, 'conflict')
      return
    }
    assert.ok(submittedNow.ok)
    const { graph } = submittedNow.value
    assert.equal(graph === null, news.length === 0)
    if (graph === null) return
    assert.ok(!this.#keys.includes(graph.key), 'a graph has a key of its own')
    this.#keys.push(graph.key)
    this.#model.accept(graph.key, news)
  }

  async #end(endings: readonly Ending[]): Promise<void> {
    const { executor, store } = this.#life
    const refs = [...executor.pending.keys()]
    const open: [task: ModelTask, message: string][] = []
    const chosen = endings.slice(0, refs.length).map(({ at, how }) => {
      const [ref] = refs.splice(at % refs.length, 1)
      return { ref: ref!, how, task: this.#tasks.get(ref!)! }
    })
    // One of which only the record tells what it comes to ends alone: the model is told of it after the others.
    const unsure = chosen.find(
      ({ how, task }) => how === 'fails' && !task.isGone && this.#model.willRetry(task) === null,
    )
    const outcomes = (unsure === undefined ? chosen : [unsure]).map(({ ref, how, task }) => {
      if (how === 'succeeds') {
        this.#model.succeed(task)
        return executor.success(ref)
      }
      const message = `failure ${++this.#failures}`
      const willRetry = how === 'fails' && this.#model.willRetry(task)
      // What a client cannot see is not left open.
      const isFinal = how === 'is refused' || (willRetry === null && task.isGone)
      if (isFinal || willRetry === false) this.#model.fail(task, message, false)
      else if (willRetry === true) this.#model.fail(task, message, true)
      else open.push([task, message])
      return executor.failure(ref, { message, isFinal })
    })
    if (outcomes.length === 0) return
    executor.report(outcomes)
    await this.#quiet()
    for (const [task, message] of open) {
      const { status } = JSON.parse((await store.get(task.spec.id))!)
      this.#model.fail(task, message, status === 'running')
    }
  }

  async #ask(what: string, at: number): Promise<void> {
    const model = this.#model
    const { scheduler } = this.#life
    if (what === 'cancel' || what === 'remove') {
      const id = `${at % 2 === 0 ? 'a' : 'b'}${(at >> 1) % 5}`
      const task = model.records.get(id)
      const isCancel = what === 'cancel'
      const answer = await (isCancel ? scheduler.cancel(id) : scheduler.remove(id))
      const refusal = isCancel && task !== undefined && isOver(task) ? 'conflict' : 'ok'
      assert.equal(answer.ok ? 'ok' : answer.problem.code, task === undefined ? 'not_found' : refusal)
      if (!answer.ok) return
      if (isCancel) model.cancel(task!)
      else model.remove(task!)
      return
    }
    const key = this.#keys[at % this.#keys.length]
    if (key === undefined) return
    const graph = model.graphs.get(key)
    const ask = {
      'cancel graph': () => scheduler.cancelGraph(key),
      'retry graph': () => scheduler.retryGraph(key),
      'remove graph': () => scheduler.removeGraph(key),
    }[what]!
    const answer = await ask()
    const code = answer.ok ? 'ok' : answer.problem.code
    if (graph === undefined) {
      assert.equal(code, 'not_found')
      return
    }
    // One of which no record is left may be there or not.
    const isOptional = model.recordsOf(graph).length === 0 && code === 'not_found'
    const isRefused = model.isGraphOver(graph) === (what === 'cancel graph')
    if (!isOptional) assert.equal(code, isRefused ? 'conflict' : 'ok', `${what} ${graphIdOf(key)}`)
    if (!answer.ok) return
    if (what === 'cancel graph') model.cancelGraph(graph)
    else if (what === 'retry graph') model.retryGraph(graph)
    else model.removeGraph(graph)
  }

  /** The scheduler is gone between two commits, and the files are as they were then. */
  async #crash(): Promise<void> {
    const { store } = this.#life
    await this.#quiet()
    // What the store does by itself is written too.
    await store.commit({}, 'sync')
    const copy = await this.#newDir()
    for (const name of await readdir(this.#dataDir)) {
      if (!name.startsWith('execgo.lock')) await cp(join(this.#dataDir, name), join(copy, name))
    }
    this.#life.isDead = true
    await store.stop()
    this.#dataDir = copy
    await this.#restart(true)
  }

  async #restart(isCrash: boolean): Promise<void> {
    this.#tasks.clear()
    this.#model.restart(isCrash)
    await this.start()
    await this.#life.store.commit({}, 'sync')
  }

  async #newDir(): Promise<string> {
    const path = join(this.#root, String(this.#dirs++))
    await mkdir(path)
    return path
  }
}

const play = async (world: World, taken: readonly Command[]): Promise<void> => {
  await world.start()
  for (const command of taken) {
    await world.take(command)
    await world.check()
  }
  await world.finish()
}

const slots = fc.integer({ min: 1, max: 4 })

const inTempDir = async (run: (root: string) => Promise<void>): Promise<void> => {
  const root = await mkdtemp(join(tmpdir(), 'execgo-unit-'))
  try {
    await run(root)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

describe('the life of graphs is what the model says', () => {
  it('over the database, with stops and crashes', async (t) => {
    mockTime(t)
    const openStore = (dataDir: string, nowMs: () => number): Store =>
      new LmdbStore({
        dataDir,
        nowMs,
        stateJsonEveryMs: 0,
        retention: { maxAgeMs: 0, maxTasks: 0 },
        onProblem: failWith,
      })
    await fc.assert(
      fc.asyncProperty(commands(30), slots, (taken, count) =>
        inTempDir(async (root) => {
          const world = new World(t, root, count, openStore)
          await play(world, taken)
          // What is over stays as it is.
          await world.stopAndStart()
          await world.check()
          await world.stop()
        }),
      ),
      { numRuns: 60 },
    )
  })

  it('in memory', async (t) => {
    mockTime(t)
    const openStore = (dataDir: string, nowMs: () => number): Store =>
      new MemoryStore({ dataDir, nowMs, saveEveryMs: 0, onSaveError: failWith })
    await fc.assert(
      fc.asyncProperty(commands(40), slots, (taken, count) =>
        inTempDir(async (root) => {
          const world = new World(t, root, count, openStore)
          // What a restart keeps of a graph is less here: its records alone.
          await play(
            world,
            taken.filter((command) => command.do !== 'stop' && command.do !== 'crash'),
          )
          await world.stop()
        }),
      ),
      { numRuns: 150 },
    )
  })
})
