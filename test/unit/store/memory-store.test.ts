import assert from 'node:assert/strict'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, describe, it } from 'node:test'
import type { SubmittedTask, Task } from '../../../src/domain/task.ts'
import { liveTaskJson } from '../../../src/domain/task-json.ts'
import { MemoryStore } from '../../../src/store/memory-store.ts'
import { eventually, turn } from '../../support/eventually.ts'
import { accepted, graphOf } from '../../support/tasks.ts'
import { tempDir } from '../../support/temp-dir.ts'

interface Opened {
  readonly store: MemoryStore
  readonly dir: string
  readonly errors: unknown[]
}

const open = async (t: TestContext, saveEveryMs = 0, dataDir?: string): Promise<Opened> => {
  // Before its directory goes, which its last save would make again.
  t.after(() => store?.stop().catch(() => {}))
  let store: MemoryStore | null = null
  const dir = dataDir ?? (await tempDir(t))
  const errors: unknown[] = []
  store = new MemoryStore({
    dataDir: dir,
    saveEveryMs,
    nowMs: () => 1_800_000_000_000,
    onSaveError: (error) => errors.push(error),
  })
  return { store, dir, errors }
}

const begun = (id: string, given: Partial<SubmittedTask> = {}, handleId = ''): Task => {
  const task = accepted(id, given, handleId)
  task.phase = 'running'
  task.attempt = 1
  task.startedMs = task.createdMs
  return task
}

const succeed = (task: Task, outputJson = '{"ok":true}'): Task => {
  task.phase = 'success'
  task.envelope = {
    status: 'success',
    outputJson,
    detailsJson: '',
    startedMs: task.startedMs,
    finishedMs: task.startedMs,
    error: null,
  }
  return task
}

const get = async (store: MemoryStore, id: string): Promise<any> => {
  const json = await store.get(id)
  return json === null ? null : JSON.parse(json)
}

const ids = async (store: MemoryStore): Promise<string[]> => {
  const found: string[] = []
  for await (const json of store.list()) found.push((JSON.parse(json) as { id: string }).id)
  return found
}

const saved = async (dir: string): Promise<any> =>
  JSON.parse(await readFile(join(dir, 'state.json'), 'utf8').catch(() => 'null'))

describe('MemoryStore keeps', () => {
  it('nothing at first', async (t) => {
    const { store } = await open(t)
    assert.deepEqual(await store.start(), { unfinished: [], lastKey: 0 })
    assert.equal(await store.get('a'), null)
    assert.equal(await store.getByHandle('mcp-1'), null)
    assert.equal(await store.has('a'), false)
    assert.deepEqual(await ids(store), [])
  })

  it('a task, as it changes and once it is over', async (t) => {
    const { store } = await open(t)
    await store.start()
    const task = accepted('a')
    await store.commit({ accepted: graphOf(task) }, 'sync')
    assert.equal((await get(store, 'a')).status, 'pending')
    task.phase = 'running'
    task.startedMs = 1
    assert.equal((await get(store, 'a')).status, 'running')
    succeed(task)
    assert.equal((await get(store, 'a')).status, 'running')
    await store.commit({ ended: [task] }, 'sync')
    assert.equal((await get(store, 'a')).status, 'success')
    task.error = 'changed afterwards'
    assert.ok(!('error' in (await get(store, 'a'))))
  })

  it('tasks in the order of their acceptance', async (t) => {
    const { store } = await open(t)
    await store.start()
    await store.commit(
      { accepted: graphOf(...['c', '1', 'a', '__proto__'].map((id) => accepted(id))) },
      'sync',
    )
    await store.commit({ accepted: graphOf(accepted('0')) }, 'sync')
    assert.deepEqual(await ids(store), ['c', '1', 'a', '__proto__', '0'])
  })

  it('one record of an id: the last, at the end of the list', async (t) => {
    const { store } = await open(t)
    await store.start()
    const old = begun('a')
    await store.commit({ accepted: graphOf(old, accepted('b')) }, 'sync')
    const replacing = accepted('a', { type: 'file' })
    await store.commit({ accepted: graphOf(replacing) }, 'sync')
    assert.deepEqual(await ids(store), ['b', 'a'])
    assert.equal((await get(store, 'a')).tool_name, 'file')

    await store.commit({ ended: [succeed(old)] }, 'sync')
    assert.equal((await get(store, 'a')).status, 'pending')
  })

  it('nothing of a task that ended after its removal', async (t) => {
    const { store } = await open(t)
    await store.start()
    const task = begun('a')
    await store.commit({ accepted: graphOf(task, accepted('b')) }, 'sync')
    await store.commit({ removed: ['a', 'never there'] }, 'sync')
    assert.equal(await store.get('a'), null)
    assert.equal(await store.has('a'), false)
    await store.commit({ ended: [succeed(task)] }, 'sync')
    assert.equal(await store.get('a'), null)
    assert.deepEqual(await ids(store), ['b'])
  })

  it('what is removed and accepted in one commit', async (t) => {
    const { store } = await open(t)
    await store.start()
    await store.commit({ accepted: graphOf(accepted('a'), accepted('b')) }, 'sync')
    await store.commit({ removed: ['a', 'b'], accepted: graphOf(accepted('a')) }, 'sync')
    assert.deepEqual(await ids(store), ['a'])
  })

  it('a list open while tasks come and go', async (t) => {
    const { store } = await open(t)
    await store.start()
    await store.commit({ accepted: graphOf(...['a', 'b', 'c'].map((id) => accepted(id))) }, 'sync')
    const found: string[] = []
    for await (const json of store.list()) {
      found.push((JSON.parse(json) as { id: string }).id)
      if (found.length === 1) await store.commit({ removed: ['b'] }, 'sync')
    }
    assert.deepEqual(found, ['a', 'c'])
  })

  it('a list with each task once, also where one is replaced meanwhile', async (t) => {
    const { store } = await open(t)
    await store.start()
    await store.commit({ accepted: graphOf(...['a', 'b'].map((id) => accepted(id))) }, 'sync')
    const found: string[] = []
    for await (const json of store.list()) {
      found.push((JSON.parse(json) as { id: string }).id)
      if (found.length < 10) await store.commit({ accepted: graphOf(accepted('a')) }, 'sync')
    }
    assert.deepEqual(found, ['a', 'b'])
  })
})

describe('MemoryStore finds tasks by their handle', () => {
  it('while they are under way, and once they are over', async (t) => {
    const { store } = await open(t)
    await store.start()
    const task = begun('a', { type: 'mcp' }, 'mcp-1')
    await store.commit({ accepted: graphOf(task) }, 'sync')
    assert.equal(JSON.parse((await store.getByHandle('mcp-1'))!).status, 'running')
    await store.commit({ ended: [succeed(task)] }, 'sync')
    assert.equal(JSON.parse((await store.getByHandle('mcp-1'))!).status, 'success')
  })

  it('until they are replaced or removed', async (t) => {
    const { store } = await open(t)
    await store.start()
    const [live, over] = [begun('live', { type: 'mcp' }, 'mcp-1'), begun('over', { type: 'mcp' }, 'mcp-2')]
    await store.commit({ accepted: graphOf(live, over) }, 'sync')
    await store.commit({ ended: [succeed(over, '{"text":"\\"handle_id\\":\\"mcp-1\\""}')] }, 'sync')
    await store.commit(
      { accepted: graphOf(accepted('live'), accepted('over', { type: 'mcp' }, 'mcp-3')) },
      'sync',
    )
    assert.equal(await store.getByHandle('mcp-1'), null)
    assert.equal(await store.getByHandle('mcp-2'), null)
    assert.ok(await store.getByHandle('mcp-3'))
    await store.commit({ removed: ['over'] }, 'sync')
    assert.equal(await store.getByHandle('mcp-3'), null)
  })

  it('a task that was skipped gives its handle up with its record', async (t) => {
    const { store } = await open(t)
    await store.start()
    const task = accepted('a', { type: 'mcp', dependsOn: ['b'] }, 'mcp-1')
    await store.commit({ accepted: graphOf(task) }, 'sync')
    task.phase = 'skipped'
    await store.commit({ ended: [task] }, 'sync')
    await store.commit({ accepted: graphOf(accepted('a')) }, 'sync')
    assert.equal(await store.getByHandle('mcp-1'), null)
  })

  it('over a restart', async (t) => {
    const { store, dir } = await open(t)
    await store.start()
    const [over, live] = [begun('over', { type: 'mcp' }, 'mcp-1'), begun('live', { type: 'mcp' }, 'mcp-2')]
    await store.commit({ accepted: graphOf(over, live), ended: [succeed(over)] }, 'sync')
    await store.stop()
    const { store: next } = await open(t, 0, dir)
    await next.start()
    assert.equal(JSON.parse((await next.getByHandle('mcp-1'))!).id, 'over')
    assert.equal(JSON.parse((await next.getByHandle('mcp-2'))!).id, 'live')
  })

  it('over a restart before their first attempt', async (t) => {
    const { store, dir } = await open(t)
    await store.start()
    await store.commit({ accepted: graphOf(accepted('a', { type: 'mcp' }, 'mcp-1')) }, 'sync')
    await store.stop()
    const { store: next } = await open(t, 0, dir)
    await next.start()
    assert.equal(JSON.parse((await next.getByHandle('mcp-1')) ?? 'null')?.id, 'a')
  })
})

describe('MemoryStore over a restart', () => {
  it('has every record again, and returns the unfinished ones', async (t) => {
    const { store, dir } = await open(t)
    await store.start()
    const [over, running, waiting] = [begun('over'), begun('running'), accepted('waiting')]
    await store.commit({ accepted: graphOf(over, running, waiting) }, 'sync')
    await store.commit({ ended: [succeed(over, '{"n":[1,{"x":"}"}]}')] }, 'sync')
    const before = await store.get('over')
    await store.stop()

    const { store: next } = await open(t, 0, dir)
    const { unfinished: recovered } = await next.start()
    assert.deepEqual(
      recovered.map(({ task }) => [task.id, task.phase, task.attempt]),
      [
        ['running', 'ready', 1],
        ['waiting', 'ready', 0],
      ],
    )
    assert.equal(await next.get('over'), before)
    assert.equal((await get(next, 'running')).status, 'pending')
    assert.deepEqual((await ids(next)).sort(), ['over', 'running', 'waiting'])
    recovered[0]!.task.startedMs = 5
    assert.equal((await get(next, 'running')).status, 'running')
  })

  it('says what became of the dependencies that are not unfinished', async (t) => {
    const { store, dir } = await open(t)
    const record = (status: string) => ({ type: 'noop', status })
    await writeFile(
      join(dir, 'state.json'),
      JSON.stringify({
        good: record('success'),
        bad: record('failed'),
        left: record('skipped'),
        open: record('running'),
        task: { type: 'noop', status: 'pending', depends_on: ['good', 'bad', 'left', 'open', 'gone'] },
      }),
    )
    const { unfinished: recovered } = await store.start()
    assert.deepEqual(
      recovered.map(({ task, settledDependencies }) => [task.id, [...settledDependencies]]),
      [
        ['open', []],
        [
          'task',
          [
            ['good', 'success'],
            ['bad', 'failed'],
            ['left', 'skipped'],
            ['gone', 'deleted'],
          ],
        ],
      ],
    )
  })

  it('goes on counting attempts, over two restarts without one too', async (t) => {
    const { store, dir } = await open(t)
    await store.start()
    await store.commit({ accepted: graphOf(begun('a')) }, 'sync')
    await store.stop()
    for (let restart = 1; restart <= 2; restart++) {
      const { store: next } = await open(t, 0, dir)
      const [recovered] = (await next.start()).unfinished
      assert.equal(recovered!.task.attempt, 1, `after restart ${restart}`)
      await next.commit({ accepted: graphOf(accepted(`more-${restart}`)) }, 'sync')
      await next.stop()
    }
  })

  it('does not touch a state that it could not read', async (t) => {
    const { store, dir } = await open(t)
    await writeFile(join(dir, 'state.json'), '{"a":')
    await assert.rejects(store.start(), /state\.json is damaged/)
    await store.stop()
    assert.equal(await readFile(join(dir, 'state.json'), 'utf8'), '{"a":')
  })
})

describe('MemoryStore saves', () => {
  it('nothing where nothing changed', async (t) => {
    const { store, dir } = await open(t)
    await store.stop()
    await store.start()
    await store.stop()
    assert.equal(await saved(dir), null)
  })

  it('at its stop, which may come twice', async (t) => {
    const { store, dir } = await open(t)
    await store.start()
    await store.commit({ accepted: graphOf(accepted('a')) }, 'sync')
    assert.equal(await saved(dir), null)
    await Promise.all([store.stop(), store.stop()])
    await store.stop()
    assert.deepEqual(Object.keys(await saved(dir)), ['a'])
  })

  it('every so often, when something changed', async (t) => {
    const { store, dir } = await open(t, 5)
    await store.start()
    const task = begun('a')
    await store.commit({ accepted: graphOf(task) }, 'sync')
    await eventually('the first save', async () => (await saved(dir))?.a?.status === 'running')
    const { mtimeMs } = await stat(join(dir, 'state.json'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal((await stat(join(dir, 'state.json'))).mtimeMs, mtimeMs)
    await store.commit({ ended: [succeed(task)] }, 'sync')
    await eventually('the second save', async () => (await saved(dir))?.a?.status === 'success')
    await store.commit({ removed: ['a'] }, 'sync')
    await eventually('the third save', async () => Object.keys(await saved(dir)).length === 0)
  })

  it('again after a save that failed, and says that it did', async (t) => {
    const { store, dir, errors } = await open(t, 5)
    await store.start()
    // A directory stands where the temporary file would.
    await mkdir(join(dir, 'state.json.tmp', 'x'), { recursive: true })
    await store.commit({ accepted: graphOf(accepted('a')) }, 'sync')
    await eventually('two failures', () => errors.length >= 2)
    assert.match(String(errors[0]), /EISDIR/)
    assert.equal(await saved(dir), null)
    await rm(join(dir, 'state.json.tmp'), { recursive: true, force: true })
    await eventually('a save', async () => (await saved(dir))?.a !== undefined)
  })

  it('at its stop, or fails to stop', async (t) => {
    const { store, dir } = await open(t)
    await store.start()
    await mkdir(join(dir, 'state.json.tmp', 'x'), { recursive: true })
    await store.commit({ accepted: graphOf(accepted('a')) }, 'sync')
    await assert.rejects(store.stop(), /EISDIR/)
    await rm(join(dir, 'state.json.tmp'), { recursive: true, force: true })
    await store.stop()
    assert.deepEqual(Object.keys(await saved(dir)), ['a'])
  })

  it('each task once, also where one is replaced during the save', async (t) => {
    const { store, dir } = await open(t, 1)
    await store.start()
    const paramsJson = JSON.stringify({ text: 'x'.repeat(300_000) })
    await store.commit(
      {
        accepted: graphOf(
          ...Array.from({ length: 20 }, (_, at) => accepted(`t${at}`, { type: 'os', paramsJson })),
        ),
      },
      'sync',
    )
    let next = 0
    for (let round = 0; round < 5; round++) {
      const path = join(dir, 'state.json')
      await rm(path, { force: true })
      await eventually('a save', async () => {
        await store.commit(
          { accepted: graphOf(accepted(`t${next++ % 20}`, { type: 'os', paramsJson })) },
          'sync',
        )
        await turn()
        return (await stat(path).catch(() => null)) !== null
      })
      const names = (await readFile(path, 'utf8')).match(/^"t\d+":/gm)!
      assert.equal(new Set(names).size, names.length, names.join(' '))
    }
  })

  it('what GET answers', async (t) => {
    const { store, dir } = await open(t)
    await store.start()
    const task = begun('a', { retry: 2 }, 'mcp-4')
    await store.commit({ accepted: graphOf(task) }, 'sync')
    await store.stop()
    assert.deepEqual(await saved(dir), { a: JSON.parse(liveTaskJson(task)) })
  })
})
