import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { liveTaskJson } from '../../../src/domain/task-json.ts'
import { loadState, saveState } from '../../../src/store/state-json.ts'
import { accepted } from '../../support/tasks.ts'
import { tempDir } from '../../support/temp-dir.ts'

const NOW_MS = 1_800_000_000_000
const FINISHED = '{"id":"done","type":"os","status":"success","created_at":"2026-04-03T10:14:23Z"}'

/** Loads the state that `text` says. */
const load = async (t: Parameters<typeof tempDir>[0], text: string) => {
  const dir = await tempDir(t)
  await writeFile(join(dir, 'state.json'), text)
  return loadState(dir, NOW_MS)
}

describe('loadState', () => {
  it('finds nothing in a directory that is not there', async (t) => {
    const state = await loadState(join(await tempDir(t), 'not', 'there'), NOW_MS)
    assert.deepEqual(
      [state.finished.size, state.unfinished.length, state.statuses.size, state.handles.size],
      [0, 0, 0, 0],
    )
  })

  it('finds nothing in an empty file', async (t) => assert.equal((await load(t, '')).finished.size, 0))

  it('tells finished from unfinished', async (t) => {
    const state = await load(
      t,
      `{"done":${FINISHED},"bad":{"status":"failed"},"left":{"status":"skipped"},
        "waits":{"type":"noop","status":"pending"},"ran":{"type":"noop","status":"running"}}`,
    )
    assert.deepEqual(
      [...state.statuses],
      [
        ['done', 'success'],
        ['bad', 'failed'],
        ['left', 'skipped'],
      ],
    )
    assert.deepEqual(
      state.unfinished.map(({ task }) => [task.id, task.phase]),
      [
        ['waits', 'ready'],
        ['ran', 'ready'],
      ],
    )
    assert.deepEqual(JSON.parse(state.finished.get('done')!), JSON.parse(FINISHED))
  })

  it('gives the unfinished oldest first, and in the order of the file at the same time', async (t) => {
    const at = (time: string) => `{"type":"noop","status":"pending","created_at":"2026-04-03T${time}"}`
    const state = await load(
      t,
      `{"a":${at('10:00:02Z')},"b":${at('10:00:01Z')},"c":${at('18:00:00+08:00')},"d":${at('10:00:01Z')}}`,
    )
    assert.deepEqual(
      state.unfinished.map(({ task }) => task.id),
      ['c', 'b', 'd', 'a'],
    )
    const keys = state.unfinished.map(({ task }) => task.key)
    assert.equal(new Set(keys).size, 4)
  })

  it('finds handles, those of finished tasks too', async (t) => {
    const state = await load(
      t,
      `{"a":{"type":"mcp","status":"success","handle_id":"mcp-1"},
        "b":{"type":"mcp","status":"running","handle_id":"mcp-2"},
        "c":{"type":"noop","status":"success","handle_id":3}}`,
    )
    assert.deepEqual(
      [...state.handles],
      [
        ['mcp-1', 'a'],
        ['mcp-2', 'b'],
      ],
    )
  })

  it('takes a name of any kind', async (t) => {
    const state = await load(t, `{"__proto__":${FINISHED},"constructor":{"type":"noop"},"":{"type":"noop"}}`)
    assert.deepEqual([...state.finished.keys()], ['__proto__'])
    assert.deepEqual(
      state.unfinished.map(({ task }) => task.id),
      ['constructor', ''],
    )
  })

  for (const [what, text, message] of [
    ['a damaged file', '{"a":{"status"', /state\.json is damaged: the file ends too early at byte 14/],
    ['a list', '[]', /state\.json is damaged: expected one JSON object at byte 0/],
    ['a task that is no object', '{"a":1}', /state\.json: task "a" is not an object/],
    ['a task that is a list', '{"a\\n":[]}', /state\.json: task "a\\n" is not an object/],
  ] as const) {
    it(`refuses ${what}, by its path`, async (t) => {
      await assert.rejects(load(t, text), message)
    })
  }

  it('says so where the file cannot be read', async (t) => {
    const dir = await tempDir(t)
    await mkdir(join(dir, 'state.json'))
    await writeFile(join(dir, 'state.json', 'x'), '')
    await assert.rejects(loadState(dir, NOW_MS), /EISDIR/)
  })
})

describe('saveState', () => {
  it('writes what loadState reads, and JSON that anybody reads', async (t) => {
    const dir = join(await tempDir(t), 'made', 'for', 'it')
    const task = accepted('任务 "1"', { paramsJson: '{"a":"\\n"}', dependsOn: ['done'] })
    await saveState(dir, [
      ['done', FINISHED],
      [task.id, liveTaskJson(task)],
    ])
    const text = await readFile(join(dir, 'state.json'), 'utf8')
    assert.deepEqual(JSON.parse(text), {
      done: JSON.parse(FINISHED),
      [task.id]: JSON.parse(liveTaskJson(task)),
    })
    const state = await loadState(dir, NOW_MS)
    assert.equal(state.finished.get('done'), FINISHED)
    const read = state.unfinished[0]!.task
    assert.equal(liveTaskJson(read), liveTaskJson(task).replace(`"g-${task.key}"`, `"g-${read.graph.key}"`))
    assert.deepEqual(await readdir(dir), ['state.json'])
  })

  it('writes an empty object for no tasks', async (t) => {
    const dir = await tempDir(t)
    await saveState(dir, [])
    assert.deepEqual(JSON.parse(await readFile(join(dir, 'state.json'), 'utf8')), {})
    assert.equal((await loadState(dir, NOW_MS)).finished.size, 0)
  })

  it('puts the new state in the place of the old one', async (t) => {
    const dir = await tempDir(t)
    await saveState(dir, [['a'.repeat(1000), FINISHED]])
    await saveState(dir, [['b', FINISHED]])
    assert.deepEqual([...(await loadState(dir, NOW_MS)).finished.keys()], ['b'])
  })

  it('leaves the old state where the new one cannot be made', async (t) => {
    const dir = await tempDir(t)
    await saveState(dir, [['a', FINISHED]])
    const failing = function* (): Generator<readonly [string, string]> {
      yield ['b', FINISHED]
      throw new Error('no more')
    }
    await assert.rejects(saveState(dir, failing()), /no more/)
    assert.deepEqual([...(await loadState(dir, NOW_MS)).finished.keys()], ['a'])
    assert.deepEqual(await readdir(dir), ['state.json'])
  })

  it('says so where the directory cannot be made', async (t) => {
    const dir = await tempDir(t)
    await writeFile(join(dir, 'file'), '')
    await assert.rejects(saveState(join(dir, 'file', 'data'), []), /ENOTDIR|EEXIST/)
  })

  it('makes the task, not the text, the unit in memory: 60 MB and more', async (t) => {
    const dir = await tempDir(t)
    const big = JSON.stringify({ id: 'x', status: 'success', result: { text: '字,}"'.repeat(2500) } })
    const count = 3000
    const entries = function* (): Generator<readonly [string, string]> {
      for (let at = 0; at < count; at++) yield [`t${at}`, big]
    }
    await saveState(dir, entries())
    assert.ok((await stat(join(dir, 'state.json'))).size > 50_000_000)
    const state = await loadState(dir, NOW_MS)
    assert.equal(state.finished.size, count)
    assert.equal(state.finished.get(`t${count - 1}`), big)
  })

  // A write to a disk with some room left writes a part and says so by its count alone.
  it('keeps the old state on a disk that is full within the last piece', async (t) => {
    const dir = await tempDir(t)
    await chmod(dir, 0o777)
    await saveState(dir, [['old', FINISHED]])
    const module = fileURLToPath(new URL('../../../src/store/state-json.ts', import.meta.url))
    const script = `
      import { saveState } from ${JSON.stringify(module)}
      const json = JSON.stringify({ status: 'success', text: 'x'.repeat(100_000) })
      await saveState(${JSON.stringify(dir)}, [['new', json]]).then(
        () => console.log('saved'),
        (error) => console.log(error.code),
      )`
    // No file of this process may grow past 100 blocks of 512 bytes.
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      'ulimit -f 100; exec "$@"',
      'sh',
      process.execPath,
      '--import',
      import.meta.resolve('tsx'),
      '--input-type=module',
      '-e',
      script,
    ])
    assert.equal(stdout.trim(), 'EFBIG')
    assert.deepEqual([...(await loadState(dir, NOW_MS)).finished.keys()], ['old'])
  })
})
