/** Pages of the list of tasks: one suite over each way of keeping them. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { newGraph } from '../../src/domain/graph-record.ts'
import { newTask } from '../../src/domain/new-task.ts'
import type { SubmittedTask, Task } from '../../src/domain/task.ts'
import type { Store, TaskQuery } from '../../src/store/store.ts'
import { STORES } from '../support/stores.ts'
import { ALL_TASKS, submitted } from '../support/tasks.ts'

const ALL: TaskQuery = { ...ALL_TASKS, afterKey: null, limit: 3 }

for (const [name, make] of Object.entries(STORES)) {
  describe(`pages of the ${name} store`, () => {
    let dataDir: string
    let store: Store
    let lastKey: number
    beforeEach(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'execgo-pages-'))
      store = make(dataDir, Date.now)
      lastKey = (await store.start()).lastKey
    })
    afterEach(async () => {
      await store.stop()
      await rm(dataDir, { recursive: true, force: true })
    })

    const accept = async (...tasks: SubmittedTask[]): Promise<Task[]> => {
      const graph = newGraph(lastKey + 1, tasks.length, 1_700_000_000_000, false)
      const made = tasks.map((task) =>
        newTask(task, { key: ++lastKey, graph, createdMs: graph.createdMs, handleId: '', attempt: 0 }),
      )
      await store.commit({ accepted: { graph, tasks: made } }, 'sync')
      return made
    }

    const end = async (phase: 'success' | 'failed', ...tasks: Task[]): Promise<void> => {
      for (const task of tasks) {
        task.phase = phase
        task.isBad = phase === 'failed'
        task.attempt = 1
        task.startedMs = task.createdMs
        task.graph.counts.running++
        task.graph.unfinished--
        const outputJson = '{"tool_name":"misleading"}'
        const { startedMs } = task
        task.envelope = {
          status: phase,
          outputJson,
          detailsJson: '',
          startedMs,
          finishedMs: startedMs,
          error: null,
        }
      }
      await store.commit({ ended: tasks }, 'sync')
    }

    const ids = (texts: readonly string[]): string => texts.map((text) => JSON.parse(text).id).join(' ')
    /** The pages one after the other, ids by spaces. */
    const pages = async (query: Partial<TaskQuery>, between = async (): Promise<void> => {}) => {
      const found: string[] = []
      for (let afterKey: number | null = null; ; ) {
        const page = await store.page({ ...ALL, ...query, afterKey })
        found.push(ids(page.tasks))
        if (page.nextAfter === null) return found
        afterKey = page.nextAfter
        await between()
      }
    }
    const noops = (...named: string[]): SubmittedTask[] => named.map((id) => submitted(id))

    test('go through all tasks in both directions; the last one says that it is', async () => {
      assert.deepEqual(await pages({}), [''])
      const [a, b] = await accept(...noops('a', 'b'))
      await accept(...noops('c', 'd', 'e', 'f'))
      await end('success', a!, b!)
      assert.deepEqual(await pages({}), ['a b c', 'd e f'])
      assert.deepEqual(await pages({ isNewestFirst: true, limit: 4 }), ['f e d c', 'b a'])
      assert.deepEqual(await pages({ limit: 100 }), ['a b c d e f'])
    })

    test('go on behind their last task, over a restart too', async () => {
      await end('success', ...(await accept(...noops('a', 'b', 'c', 'd', 'e'))))
      const restart = async (): Promise<void> => {
        await store.stop()
        store = make(dataDir, Date.now)
        lastKey = (await store.start()).lastKey
      }
      assert.deepEqual(await pages({ limit: 2 }, restart), ['a b', 'c d', 'e'])
      assert.deepEqual(await pages({ limit: 2, isNewestFirst: true }, restart), ['e d', 'c b', 'a'])
    })

    test('neither skip nor repeat a task while others come and go', async () => {
      const tasks = await accept(...noops('a', 'b', 'c', 'd', 'e', 'f'))
      await end('success', ...tasks.slice(0, 3))
      const gone = ['b', 'e']
      const comeAndGo = async (): Promise<void> => {
        const removed = gone.shift()
        await store.commit({ removed: removed === undefined ? [] : [removed] }, 'sync')
        if (lastKey < 8) await accept(submitted(`new${lastKey}`))
      }
      assert.deepEqual(await pages({ limit: 2 }, comeAndGo), ['a b', 'c d', 'f new6', 'new7'])
    })

    test('hold the tasks of one status, as a client sees it', async () => {
      const [a, b, c, d] = await accept(...noops('a', 'b', 'c', 'd', 'e'))
      await end('failed', b!)
      await end('success', a!, d!)
      c!.phase = 'running'
      c!.startedMs = c!.createdMs
      assert.deepEqual(await pages({ status: 'success' }), ['a d'])
      assert.deepEqual(await pages({ status: 'failed' }), ['b'])
      assert.deepEqual(await pages({ status: 'skipped' }), [''])
      assert.deepEqual(await pages({ status: 'running' }), ['c'])
      assert.deepEqual(await pages({ status: 'pending' }), ['e'])
      assert.deepEqual(await pages({ status: 'success', isNewestFirst: true, limit: 1 }), ['d', 'a'])
    })

    test('hold the tasks of one graph', async () => {
      await accept(...noops('a', 'b'))
      const tasks = await accept(...noops('c', 'd', 'e', 'f'))
      await accept(...noops('g'))
      await end('success', tasks[1]!)
      const graph = tasks[0]!.graph.key
      assert.deepEqual(await pages({ graph }), ['c d e', 'f'])
      assert.deepEqual(await pages({ graph, isNewestFirst: true }), ['f e d', 'c'])
      assert.deepEqual(await pages({ graph, status: 'success' }), ['d'])
      assert.deepEqual(await pages({ graph: 999_999 }), [''])
      await accept(submitted('d'))
      assert.deepEqual(await pages({ graph }), ['c e f'], 'a resubmitted id is of another graph')
    })

    test('hold the tasks of a type, of a tool and with a prefix, over or not', async () => {
      const tasks = await accept(
        submitted('x/1'),
        submitted('x/2', { type: 'shell' }),
        submitted('x"\\3', { type: 'mcp', toolName: 'shell' }),
        submitted('y', { type: 'shell', paramsJson: '{"tool_name":"noop"}' }),
      )
      for (const when of ['not over', 'over']) {
        assert.deepEqual(await pages({ type: 'os' }), ['x/1 x/2 y'], when)
        assert.deepEqual(await pages({ type: 'mcp' }), ['x"\\3'], when)
        assert.deepEqual(await pages({ tool: 'shell' }), ['x/2 x"\\3 y'], when)
        assert.deepEqual(await pages({ tool: 'shell', type: 'os' }), ['x/2 y'], when)
        assert.deepEqual(await pages({ tool: 'noop' }), ['x/1'], when)
        assert.deepEqual(await pages({ tool: 'misleading' }), [''], when)
        assert.deepEqual(await pages({ prefix: 'x/' }), ['x/1 x/2'], when)
        assert.deepEqual(await pages({ prefix: 'x"\\' }), ['x"\\3'], when)
        if (when === 'not over') await end('success', ...tasks)
      }
    })

    test('hold a replaced id once, as its new record', async () => {
      const [a] = await accept(...noops('a', 'b'))
      await accept(submitted('a'))
      assert.deepEqual(await pages({}), ['b a'])
      await end('success', a!)
      assert.deepEqual(await pages({}), ['b a'])
      assert.deepEqual(await pages({ status: 'success' }), [''])
    })

    test('are shorter where their tasks are large', async () => {
      const large = JSON.stringify({ message: 'm'.repeat(2.5 * 1024 * 1024) })
      await accept(...['a', 'b', 'c'].map((id) => submitted(id, { paramsJson: large })))
      assert.deepEqual(await pages({}), ['a b', 'c'])
    })
  })
}
