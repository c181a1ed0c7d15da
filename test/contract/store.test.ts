/** What every way of keeping tasks promises: one suite over each implementation of the port. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type Graph, newGraph } from '../../src/domain/graph-record.ts'
import { newTask } from '../../src/domain/new-task.ts'
import type { SubmittedTask, Task } from '../../src/domain/task.ts'
import type { FirstAnswer, Found, Store } from '../../src/store/store.ts'
import { STORES } from '../support/stores.ts'
import { submitted as noop } from '../support/tasks.ts'

const submitted = (id: string, more: Partial<SubmittedTask> = {}): SubmittedTask =>
  noop(id, { paramsJson: '{"message":"m"}', ...more })

const DAY_MS = 24 * 60 * 60 * 1000

for (const [name, make] of Object.entries(STORES)) {
  describe(`${name} store`, () => {
    let dataDir: string
    let store: Store
    let found: Found
    let lastKey: number
    let passedMs: number
    const nowMs = (): number => Date.now() + passedMs
    beforeEach(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'execgo-store-'))
      passedMs = 0
      store = make(dataDir, nowMs)
      found = await store.start()
      lastKey = found.lastKey
    })
    afterEach(async () => {
      await store.stop()
      await rm(dataDir, { recursive: true, force: true })
    })

    const reopen = async (): Promise<void> => {
      await store.stop()
      store = make(dataDir, nowMs)
      found = await store.start()
    }

    const graphOf = (tasks: readonly SubmittedTask[]): { graph: Graph; tasks: Task[] } => {
      const graph = newGraph(lastKey + 1, tasks.length, 1_700_000_000_000, false)
      const made = tasks.map((task) =>
        newTask(task, { key: ++lastKey, graph, createdMs: graph.createdMs, handleId: '', attempt: 0 }),
      )
      return { graph, tasks: made }
    }

    const accept = async (...tasks: SubmittedTask[]): Promise<Task[]> => {
      const accepted = graphOf(tasks)
      await store.commit({ accepted }, 'sync')
      return accepted.tasks
    }

    const end = (task: Task, phase: 'success' | 'failed' | 'skipped' = 'success'): Task => {
      task.phase = phase
      task.isBad = phase !== 'success'
      task.updatedMs++
      task.graph.unfinished--
      if (task.graph.unfinished === 0) task.graph.finishedMs = task.updatedMs
      if (phase === 'skipped') {
        task.error = 'dependency x failed'
        return task
      }
      task.attempt = 1
      task.startedMs = task.updatedMs
      task.graph.counts.running++
      task.envelope = {
        status: phase,
        outputJson: '{"ok":true,"text":"é"}',
        detailsJson: '',
        startedMs: task.startedMs,
        finishedMs: task.updatedMs,
        error: null,
      }
      return task
    }

    const read = async (id: string): Promise<any> => JSON.parse((await store.get(id)) ?? 'null')
    const listed = async (): Promise<any[]> => {
      const texts: any[] = []
      for await (const text of store.list()) texts.push(JSON.parse(text))
      return texts
    }

    test('what was accepted is there, and unfinished after a restart', async () => {
      await accept(submitted('a'), submitted('b', { dependsOn: ['a'], retry: 2, timeoutMs: 9, priority: 7 }))
      assert.equal((await read('a')).status, 'pending')
      assert.equal(store.unfinished('a')?.id, 'a')
      await reopen()
      assert.deepEqual(
        found.unfinished.map(({ task }) => [
          task.id,
          task.dependsOn,
          task.retry,
          task.timeoutMs,
          task.priority,
          task.paramsJson,
        ]),
        [
          ['a', [], 0, 0, 5, '{"message":"m"}'],
          ['b', ['a'], 2, 9, 7, '{"message":"m"}'],
        ],
      )
      assert.equal((await read('b')).tool_name, 'noop')
    })

    test('a relaxed graph is there as soon as that is told, and after a restart', async () => {
      const accepted = graphOf([submitted('a'), submitted('b', { dependsOn: ['a'] })])
      await store.commit({ accepted }, 'relaxed')
      const [a, b] = accepted.tasks
      assert.equal((await read('a')).status, 'pending')
      assert.equal(store.unfinished('b'), b)
      assert.equal((await store.graph(a!.key))?.size, 2)
      assert.deepEqual([...store.unfinishedOf(accepted.graph)], [a, b])
      await store.commit({ ended: [end(a!)] }, 'relaxed')
      assert.equal((await read('a')).status, 'success')
      await reopen()
      assert.equal((await read('a')).status, 'success')
      assert.deepEqual(
        found.unfinished.map(({ task }) => task.id),
        ['b'],
      )
    })

    test('a relaxed graph takes the place of another, and goes, in the order of the calls', async () => {
      const [old] = await accept(submitted('a'), submitted('b'))
      const [first, second] = [graphOf([submitted('a')]), graphOf([submitted('a')])]
      const all = [
        store.commit({ accepted: first }, 'relaxed'),
        store.commit({ accepted: second }, 'relaxed'),
        store.commit({ ended: [end(old!)] }, 'sync'),
      ]
      assert.equal(store.unfinished('a'), second.tasks[0])
      await Promise.all(all)
      assert.equal((await listed()).filter(({ id }) => id === 'a').length, 1)
      assert.equal(store.unfinished('a'), second.tasks[0])
      await store.commit({ removed: ['a'] }, 'sync')
      assert.equal(await store.get('a'), null)
      await reopen()
      assert.deepEqual(
        (await listed()).map(({ id }) => id),
        ['b'],
      )
    })

    test('what is over is told as it was, before and after a restart', async () => {
      const [a, b] = await accept(submitted('a'), submitted('b'))
      await store.commit({ ended: [end(a!), end(b!, 'failed')] }, 'sync')
      const before = [await store.get('a'), await store.get('b')]
      assert.equal(JSON.parse(before[0]!).result.text, 'é')
      assert.equal(store.unfinished('a'), null)
      await reopen()
      assert.deepEqual(
        [await store.get('a'), await store.get('b')].map((text) => JSON.parse(text!)),
        before.map((text) => JSON.parse(text!)),
      )
      assert.deepEqual(found.unfinished, [])
      assert.equal(found.lastKey, lastKey)
    })

    test('the ends of dependencies are known after a restart', async () => {
      const tasks = await accept(
        submitted('good'),
        submitted('bad'),
        submitted('away'),
        submitted('open'),
        submitted('last', { dependsOn: ['good', 'bad', 'away', 'open'] }),
      )
      await store.commit({ ended: [end(tasks[0]!), end(tasks[1]!, 'failed')] }, 'sync')
      await store.commit({ removed: ['away'] }, 'sync')
      await reopen()
      const last = found.unfinished.find(({ task }) => task.id === 'last')!
      assert.deepEqual([...last.settledDependencies].sort(), [
        ['away', 'deleted'],
        ['bad', 'failed'],
        ['good', 'success'],
      ])
    })

    test('an id that is accepted again has the new record; what the old one comes to is dropped', async () => {
      const [old] = await accept(submitted('a'))
      const [now] = await accept(submitted('a', { paramsJson: '{"message":"new"}' }))
      await store.commit({ ended: [end(old!)] }, 'sync')
      assert.equal((await read('a')).status, 'pending')
      assert.equal((await read('a')).params.message, 'new')
      await store.commit({ ended: [end(now!)] }, 'sync')
      const [third] = await accept(submitted('a', { paramsJson: '{"message":"third"}' }))
      await reopen()
      assert.equal((await read('a')).params.message, 'third')
      assert.equal(found.unfinished.length, 1)
      assert.equal((await listed()).length, 1)
      assert.ok(third!.key > now!.key)
    })

    test('a removed record stays away, also that of an unfinished task, also over a restart', async () => {
      const [a, b] = await accept(submitted('a'), submitted('b'), submitted('c'))
      await store.commit({ ended: [end(a!)] }, 'sync')
      await store.commit({ removed: ['a'] }, 'sync')
      await store.commit({ removed: ['b'] }, 'sync')
      await store.commit({ ended: [end(b!)] }, 'sync')
      assert.equal(await store.get('a'), null)
      assert.equal(await store.has('b'), false)
      await reopen()
      assert.deepEqual(
        (await listed()).map(({ id }) => id),
        ['c'],
      )
      assert.deepEqual(
        found.unfinished.map(({ task }) => task.id),
        ['c'],
      )
    })

    test('a removed record stays away where others that came with it are not over, over two restarts', async () => {
      const [a] = await accept(submitted('a'), submitted('b'))
      await store.commit({ ended: [end(a!)] }, 'sync')
      await reopen()
      await store.commit({ removed: ['a'] }, 'sync')
      await reopen()
      assert.equal(await store.get('a'), null)
      assert.deepEqual(
        found.unfinished.map(({ task }) => task.id),
        ['b'],
      )
    })

    test('a list goes on while what it has not come to is removed', async () => {
      const tasks = await accept(...Array.from({ length: 2000 }, (_, at) => submitted(`n${at}`)))
      await store.commit({ ended: tasks.map((task) => end(task)) }, 'sync')
      const removing = store.commit({ removed: tasks.slice(0, 1900).map(({ id }) => id) }, 'sync')
      let isOver = false
      const over = removing.then(() => {
        isOver = true
      })
      while (!isOver) {
        await listed()
        await new Promise((resolve) => setImmediate(resolve))
      }
      await over
      assert.equal((await listed()).length, 100)
    })

    test('the list is in the order of creation', async () => {
      const ids = Array.from({ length: 300 }, (_, at) => `t${at}`)
      const tasks = await accept(...ids.map((id) => submitted(id)))
      const shuffled = tasks.filter((_, at) => at % 3 !== 0).sort((a, b) => (a.key % 7) - (b.key % 7))
      await store.commit({ ended: shuffled.map((task) => end(task)) }, 'sync')
      assert.deepEqual(
        (await listed()).map(({ id }) => id),
        ids,
      )
      await reopen()
      assert.deepEqual(
        (await listed()).map(({ id }) => id),
        ids,
      )
    })

    test('the list of one status is in the order of creation', async () => {
      const ids = Array.from({ length: 60 }, (_, at) => `t${at}`)
      const tasks = await accept(...ids.map((id) => submitted(id)))
      const over = (at: number): 'success' | 'failed' => (at % 3 === 0 ? 'success' : 'failed')
      const ended = tasks.filter((_, at) => at % 2 === 0)
      const listedAs = async (status: 'pending' | 'running' | 'success' | 'failed' | 'skipped') => {
        const found: string[] = []
        for await (const text of store.list(status)) {
          const task = JSON.parse(text) as { id: string; status: string }
          assert.equal(task.status, status)
          found.push(task.id)
        }
        return found
      }
      const expected = (status: string): string[] =>
        ids.filter((_, at) => (at % 2 === 0 ? over(at) : 'pending') === status)
      await store.commit(
        { ended: [...ended].reverse().map((task) => end(task, over(tasks.indexOf(task)))) },
        'sync',
      )
      for (let round = 0; round < 2; round++) {
        for (const status of ['pending', 'running', 'success', 'failed', 'skipped'] as const)
          assert.deepEqual(await listedAs(status), expected(status), status)
        await reopen()
      }
    })

    test('a graph is counted as its tasks end, and known when it is over', async () => {
      const tasks = await accept(submitted('a'), submitted('b'), submitted('c'))
      const { graph } = tasks[0]!
      assert.deepEqual((await store.graph(graph.key))?.counts, {
        running: 0,
        success: 0,
        failed: 0,
        skipped: 0,
        bad: 0,
      })
      await store.commit({ ended: [end(tasks[0]!), end(tasks[1]!, 'failed')] }, 'sync')
      assert.equal((await store.graph(graph.key))?.counts.failed, 1)
      await reopen()
      const again = found.unfinished[0]!.task
      assert.equal(again.graph.unfinished, 1)
      assert.deepEqual((await store.graph(graph.key))?.counts, {
        running: 0,
        success: 1,
        failed: 1,
        skipped: 0,
        bad: 1,
      })
      await store.commit({ ended: [end(again, 'skipped')] }, 'sync')
      await reopen()
      const over = await store.graph(graph.key)
      assert.deepEqual(over?.counts, { running: 0, success: 1, failed: 1, skipped: 1, bad: 2 })
      assert.equal(over?.size, 3)
      assert.deepEqual(
        (await store.graphs(Number.MAX_SAFE_INTEGER, 10)).map(({ key }) => key),
        [graph.key],
      )
      assert.equal(await store.graph(999_999), null)
    })

    /** A store may count what is gone as it ended, as skipped, or not at all. */
    const isOverWithOneSuccess = async (key: number): Promise<void> => {
      const { size, counts } = (await store.graph(key))!
      assert.equal(counts.success, 1)
      assert.equal(counts.success + counts.failed + counts.skipped, size)
    }

    test('a graph of which records were removed is over all the same, also after a restart', async () => {
      const [a] = await accept(submitted('a'), submitted('b'), submitted('c'))
      const { key } = a!.graph
      await store.commit({ ended: [end(a!, 'failed')] }, 'sync')
      await store.commit({ removed: ['a', 'b'] }, 'sync')
      await reopen()
      assert.equal(found.unfinished.length, 1)
      await store.commit({ ended: [end(found.unfinished[0]!.task)] }, 'sync')
      await reopen()
      await isOverWithOneSuccess(key)
    })

    test('a graph whose last unfinished record was removed before a restart is over', async () => {
      const [a] = await accept(submitted('a'), submitted('b'))
      await store.commit({ ended: [end(a!)] }, 'sync')
      await store.commit({ removed: ['b'] }, 'sync')
      // What comes next clears away what nothing needs.
      await accept(submitted('c'))
      await accept(submitted('d'))
      await reopen()
      await isOverWithOneSuccess(a!.graph.key)
    })

    test('graphs are listed newest first, in pages', async () => {
      const keys: number[] = []
      for (let at = 0; at < 5; at++) {
        const [task] = await accept(submitted(`g${at}`))
        keys.unshift(task!.graph.key)
        if (at % 2 === 0) await store.commit({ ended: [end(task!)] }, 'sync')
      }
      const first = await store.graphs(Number.MAX_SAFE_INTEGER, 2)
      assert.deepEqual(
        first.map(({ key }) => key),
        keys.slice(0, 2),
      )
      const rest = await store.graphs(first[1]!.key, 10)
      assert.deepEqual(
        rest.map(({ key }) => key),
        keys.slice(2),
      )
    })

    test('revived tasks are unfinished again, with their attempts', async () => {
      const tasks = await accept(submitted('a'), submitted('b'))
      await store.commit({ ended: [end(tasks[0]!), end(tasks[1]!, 'failed')] }, 'sync')
      const graph = (await store.graph(tasks[0]!.graph.key))!
      const texts: any[] = []
      for await (const { key, json } of store.finishedOf(graph)) texts.push([key, JSON.parse(json).id])
      assert.deepEqual(texts, [
        [tasks[0]!.key, 'a'],
        [tasks[1]!.key, 'b'],
      ])
      const revived = newTask(submitted('b'), {
        key: tasks[1]!.key,
        graph,
        createdMs: graph.createdMs,
        handleId: '',
        attempt: 1,
      })
      graph.unfinished = 1
      await store.commit({ revived: [revived] }, 'sync')
      assert.equal((await read('b')).status, 'pending')
      assert.deepEqual((await store.graph(graph.key))?.counts, {
        running: 0,
        success: 1,
        failed: 0,
        skipped: 0,
        bad: 0,
      })
      await reopen()
      assert.deepEqual(
        found.unfinished.map(({ task }) => [task.id, task.attempt, task.graph.key]),
        [['b', 1, graph.key]],
      )
      await store.commit({ ended: [end(found.unfinished[0]!.task)] }, 'sync')
      await reopen()
      assert.equal((await read('b')).status, 'success')
      assert.equal((await listed()).length, 2)
    })

    test('attempts go on counting over a restart, and another', async () => {
      const [a] = await accept(submitted('a', { retry: 5 }))
      a!.phase = 'running'
      a!.startedMs = 5
      a!.attempt = 3
      a!.failures = 2
      await store.commit({ started: [a!] }, 'sync')
      await reopen()
      assert.equal(found.unfinished[0]!.task.attempt, 3)
      await reopen()
      assert.equal(found.unfinished[0]!.task.attempt, 3)
    })

    test('a task that is to run again has failed as often as since then', async () => {
      const [a] = await accept(submitted('a', { retry: 1 }))
      const begin = async (task: Task, attempt: number, failures: number): Promise<void> => {
        Object.assign(task, { phase: 'running', startedMs: 5, attempt, failures })
        store.noteStarts([task])
        await store.commit({ started: [task] }, 'sync')
      }
      const revive = async (): Promise<Task> => {
        const task = newTask(submitted('a', { retry: 1 }), { ...a!, attempt: 2 })
        task.graph.unfinished = 1
        await store.commit({ revived: [task] }, 'sync')
        return task
      }
      await begin(a!, 1, 0)
      await begin(a!, 2, 1)
      await store.commit({ ended: [end(a!, 'failed')] }, 'sync')
      a!.attempt = 2
      await revive()
      await reopen()
      assert.deepEqual([found.unfinished[0]!.task.attempt, found.unfinished[0]!.task.failures], [2, 0])
      const again = found.unfinished[0]!.task
      await begin(again, 3, 0)
      await reopen()
      assert.deepEqual([found.unfinished[0]!.task.attempt, found.unfinished[0]!.task.failures], [3, 0])
    })

    test('a finished graph goes with its tasks', async () => {
      const tasks = await accept(submitted('a'), submitted('b'))
      await store.commit({ ended: tasks.map((task) => end(task)) }, 'sync')
      await store.commit({ removedGraphs: [tasks[0]!.graph.key] }, 'sync')
      assert.equal(await store.get('a'), null)
      assert.equal(await store.graph(tasks[0]!.graph.key), null)
      await reopen()
      assert.deepEqual(await listed(), [])
    })

    const answerFor = (key: string): FirstAnswer => ({
      key,
      bodyHash: 'h',
      answer: '{"accepted":1}',
      atMs: nowMs(),
    })

    test('a first answer is found again', async () => {
      const firstAnswer = answerFor('k')
      await store.commit({ accepted: graphOf([submitted('a')]), firstAnswer }, 'sync')
      assert.deepEqual(await store.firstAnswer('k'), firstAnswer)
      assert.equal(await store.firstAnswer('other'), null)
    })

    test('a first answer is kept without a graph too', async () => {
      const firstAnswer = answerFor('k')
      await store.commit({ firstAnswer }, 'relaxed')
      assert.deepEqual(await store.firstAnswer('k'), firstAnswer)
      assert.deepEqual(await listed(), [])
    })

    test('a first answer is good for 24 hours, and its key for another one then', async () => {
      const firstAnswer = answerFor('k')
      await store.commit({ accepted: graphOf([submitted('a')]), firstAnswer }, 'sync')
      passedMs = DAY_MS - 60_000
      assert.deepEqual(await store.firstAnswer('k'), firstAnswer)
      passedMs = DAY_MS
      assert.equal(await store.firstAnswer('k'), null)
      const second = answerFor('k')
      await store.commit({ accepted: graphOf([submitted('b')]), firstAnswer: second }, 'sync')
      assert.deepEqual(await store.firstAnswer('k'), second)
      passedMs = 2 * DAY_MS
      assert.equal(await store.firstAnswer('k'), null)
    })

    test('handles lead to their tasks', async () => {
      const graph = newGraph(lastKey + 1, 1, 1, false)
      const task = newTask(submitted('m', { type: 'mcp' }), {
        key: ++lastKey,
        graph,
        createdMs: 1,
        handleId: `mcp-${1e15 + lastKey}`,
        attempt: 0,
      })
      await store.commit({ accepted: { graph, tasks: [task] } }, 'sync')
      assert.equal(JSON.parse((await store.getByHandle(task.handleId))!).id, 'm')
      assert.equal(await store.getByHandle('mcp-1'), null)
      await store.commit({ ended: [end(task)] }, 'sync')
      await reopen()
      assert.equal(JSON.parse((await store.getByHandle(task.handleId))!).id, 'm')
    })

    test('many commits at once are kept, each in its turn', async () => {
      const all = await Promise.all(Array.from({ length: 200 }, (_, at) => accept(submitted(`n${at}`))))
      await Promise.all(all.map(([task]) => store.commit({ ended: [end(task!)] }, 'sync')))
      await Promise.all(
        all.map(([task], at) => (at % 2 === 0 ? store.commit({ removed: [task!.id] }, 'sync') : null)),
      )
      await reopen()
      assert.deepEqual(
        (await listed()).map(({ id }) => id),
        Array.from({ length: 100 }, (_, at) => `n${at * 2 + 1}`),
      )
    })

    test('tells its listener what is over once GET shows it, and the events of each commit in order', async () => {
      const told: string[] = []
      let last = 0
      const read = (): void => {
        for (const { id, type, taskId } of store.eventsAfter(last)!) {
          assert.equal(id, ++last)
          told.push(`${type} ${taskId}`)
        }
      }
      store.listen({
        onOver: (tasks) => {
          for (const { id } of tasks) {
            assert.equal(store.unfinished(id), null)
            told.push(`over ${id}`)
          }
        },
        onEvents: read,
      })
      const [a] = await accept(submitted('a'), submitted('b'))
      const note = {
        type: 'task_retried',
        task: a!,
        atMs: 1,
        attempt: 1,
        message: 'again',
        after: 0,
      } as const
      await store.commit({ notes: [note] }, 'relaxed')
      await store.commit({ ended: [end(a!)] }, 'sync')
      assert.deepEqual(told, [
        'task_submitted a',
        'task_submitted b',
        'task_retried a',
        'over a',
        'task_started a',
        'task_succeeded a',
      ])
      assert.equal(store.eventsAfter(last + 1), null)
      assert.deepEqual([store.firstEvent, store.lastEvent], [1, 5])
    })
  })
}
