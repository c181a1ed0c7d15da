/** The pages of the LMDB store, whatever happened to its tasks, over restarts: as those of the plain memory store. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { newGraph } from '../../src/domain/graph-record.ts'
import { newTask } from '../../src/domain/new-task.ts'
import type { SubmittedTask, Task } from '../../src/domain/task.ts'
import type { Commit, Store, TaskQuery } from '../../src/store/store.ts'
import { STORES } from '../support/stores.ts'
import { ALL_TASKS, submitted } from '../support/tasks.ts'

const KINDS: readonly Partial<SubmittedTask>[] = [
  { type: 'noop' },
  { type: 'shell', paramsJson: '{"tool_name":"noop"}' },
  { type: 'mcp', toolName: 'a "tool" ]' },
  { type: 'cli-skills' },
]
const STATUSES = [null, 'pending', 'running', 'success', 'failed', 'skipped'] as const
const TYPES = [null, 'os', 'mcp', 'cli-skills'] as const
const TOOLS = ['', 'noop', 'shell', 'a "tool" ]', 'none'] as const
const PREFIXES = ['', 'a', 'b/', 'b/1', 'é"', '\ud83d', 'zz'] as const

const id = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom('a', 'b/', 'c'), fc.nat(400)).map(([of, n]) => `${of}${n}`),
  },
  fc.constantFrom('b', 'é"\\1', '\ud83d\ude00', '\uffff'),
)
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      tasks: fc.uniqueArray(fc.record({ id, kind: fc.constantFrom(...KINDS) }), {
        minLength: 1,
        maxLength: 150,
        selector: (task) => task.id,
        size: 'max',
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      from: fc.nat(),
      count: fc.nat(200),
      phase: fc.constantFrom('success' as const, 'failed' as const, 'skipped' as const),
    }),
  },
  fc.record({ do: fc.constant('remove' as const), from: fc.nat(), count: fc.nat(100) }),
  fc.record({ do: fc.constant('restart' as const) }),
  fc.record({
    do: fc.constant('look' as const),
    status: fc.constantFrom(...STATUSES),
    type: fc.constantFrom(...TYPES),
    tool: fc.constantFrom(...TOOLS),
    prefix: fc.constantFrom(...PREFIXES),
    graph: fc.nat(5),
    isNewestFirst: fc.boolean(),
    limit: fc.integer({ min: 1, max: 60 }),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Both stores, and the tasks under way in each by key: objects of its own. */
class Both {
  readonly #dataDir: string
  readonly #memory: Store
  #lmdb: Store
  readonly #held = [new Map<number, Task>(), new Map<number, Task>()] as const
  readonly #ids = new Set<string>()
  readonly #graphs: number[] = [999_999]
  #lastKey = 0

  constructor(dataDir: string) {
    this.#dataDir = dataDir
    this.#memory = STORES['memory']!(join(dataDir, 'memory'), Date.now)
    this.#lmdb = this.#newLmdb()
  }

  async start(): Promise<void> {
    await this.#memory.start()
    await this.#lmdb.start()
  }

  async stop(): Promise<void> {
    await this.#lmdb.stop()
    await this.#memory.stop()
  }

  async do(step: Step): Promise<void> {
    switch (step.do) {
      case 'accept': {
        const key = this.#lastKey + 1
        this.#lastKey += step.tasks.length
        this.#graphs.push(key)
        await this.#commit((held) => {
          const graph = newGraph(key, step.tasks.length, 1_700_000_000_000, false)
          const tasks = step.tasks.map((task, at) =>
            newTask(submitted(task.id, task.kind), {
              key: key + at,
              graph,
              createdMs: graph.createdMs,
              handleId: '',
              attempt: 0,
            }),
          )
          const ids = new Set(tasks.map((task) => task.id))
          for (const task of held.values()) if (ids.has(task.id)) held.delete(task.key)
          for (const task of tasks) held.set(task.key, task)
          return { accepted: { graph, tasks, replaced: [] } }
        })
        for (const task of step.tasks) this.#ids.add(task.id)
        return
      }
      case 'end': {
        const keys = some([...this.#held[0].keys()], step.from, step.count)
        return this.#commit((held) => ({ ended: keys.map((key) => ended(held, key, step.phase)) }))
      }
      case 'remove': {
        const removed = some([...this.#ids], step.from, step.count)
        for (const gone of removed) this.#ids.delete(gone)
        return this.#commit((held) => {
          for (const task of held.values()) if (removed.includes(task.id)) held.delete(task.key)
          return { removed }
        })
      }
      case 'restart': {
        await this.#lmdb.stop()
        this.#lmdb = this.#newLmdb()
        const held = this.#held[1]
        held.clear()
        for (const { task } of (await this.#lmdb.start()).unfinished) held.set(task.key, task)
        assert.deepEqual([...held.keys()], [...this.#held[0].keys()])
        return
      }
      case 'look': {
        const { do: _, graph, ...asked } = step
        const query = { ...asked, graph: graph < 3 ? null : (this.#graphs.at(2 - graph) ?? null) }
        return this.compare(query)
      }
    }
  }

  async compare(query: Omit<TaskQuery, 'afterKey'>): Promise<void> {
    const [expected, found] = await Promise.all([pages(this.#memory, query), pages(this.#lmdb, query)])
    assert.deepEqual(found, expected, JSON.stringify(query))
  }

  async #commit(make: (held: Map<number, Task>) => Commit): Promise<void> {
    const [memory, lmdb] = this.#held
    await this.#memory.commit(make(memory), 'sync')
    await this.#lmdb.commit(make(lmdb), 'sync')
  }

  #newLmdb(): Store {
    return STORES['lmdb']!(join(this.#dataDir, 'lmdb'), Date.now)
  }
}

const some = <T>(of: readonly T[], from: number, count: number): T[] => {
  const first = of.length === 0 ? 0 : from % of.length
  return of.slice(first, first + count)
}

const ended = (held: Map<number, Task>, key: number, phase: 'success' | 'failed' | 'skipped'): Task => {
  const task = held.get(key)!
  held.delete(key)
  task.phase = phase
  task.isBad = phase === 'failed'
  task.graph.unfinished--
  return task
}

/** All of them, ids by spaces. */
const pages = async (store: Store, query: Omit<TaskQuery, 'afterKey'>): Promise<string[]> => {
  const found: string[] = []
  for (let afterKey: number | null = null; ; ) {
    const { tasks, nextAfter } = await store.page({ ...query, afterKey })
    found.push(tasks.map((text) => (JSON.parse(text) as { id: string }).id).join(' '))
    if (nextAfter === null) return found
    afterKey = nextAfter
  }
}

test('pages are the same from both stores, by each filter', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }), async (steps) => {
      const dataDir = await mkdtemp(join(tmpdir(), 'execgo-pages-model-'))
      const both = new Both(dataDir)
      await both.start()
      try {
        for (const each of steps) await both.do(each)
        const all = { ...ALL_TASKS, limit: 7 }
        const filters = [
          STATUSES.map((status) => ({ ...all, status })),
          PREFIXES.map((prefix) => ({ ...all, prefix })),
          TOOLS.map((tool) => ({ ...all, tool })),
          TYPES.map((type) => ({ ...all, type })),
        ]
        // Each twice: the second search has what the first one learnt.
        for (const queries of filters) {
          for (const isNewestFirst of [false, true])
            for (const query of queries) await both.compare({ ...query, isNewestFirst })
          await both.do({ do: 'restart' })
        }
      } finally {
        await both.stop()
        await rm(dataDir, { recursive: true, force: true })
      }
    }),
    { numRuns: 15, interruptAfterTimeLimit: 60_000 },
  )
})
