import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { locked } from '../../../../src/api/guard/file-lock.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const MODULE = new URL('../../../../src/api/guard/file-lock.ts', import.meta.url).href
const ARGS = ['--import', 'tsx', '--input-type=module', '-e']

/** A process that has the lock, until it is killed. */
const holder = async (t: TestContext, lock: string): Promise<ChildProcess> => {
  const forever = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'
  const code = `import { locked } from ${JSON.stringify(MODULE)}; import { writeSync } from 'node:fs'
    locked(${JSON.stringify(lock)}, () => { writeSync(1, 'has it'); ${forever} })`
  const child = spawn(process.execPath, [...ARGS, code], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  return child
}

const killed = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('a lock whose process was killed is taken over, by one of many at a time', async (t) => {
  const folder = await tempDir(t)
  const lock = join(folder, 'lock')
  await killed(await holder(t, lock))
  const count = join(folder, 'count')
  await writeFile(count, '0')
  const adding = `import { locked } from ${JSON.stringify(MODULE)}; import { readFileSync, writeFileSync } from 'node:fs'
    for (let at = 0; at < 20; at++) locked(${JSON.stringify(lock)}, () => {
      const now = Number(readFileSync(${JSON.stringify(count)}, 'utf8'))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
      writeFileSync(${JSON.stringify(count)}, String(now + 1))
    })`
  const one = (): Promise<unknown> => promisify(execFile)(process.execPath, [...ARGS, adding])
  await Promise.all(Array.from({ length: 6 }, one))
  assert.equal(await readFile(count, 'utf8'), '120')
  assert.deepEqual(await readdir(folder), ['count'])
})

test('who was killed while it took a lock over is taken over too', async (t) => {
  const folder = await tempDir(t)
  const [lock, other] = [join(folder, 'lock'), join(folder, 'other')]
  for (const path of [lock, other]) await killed(await holder(t, path))
  const { nonce } = JSON.parse(await readFile(lock, 'utf8')) as { nonce: string }
  await copyFile(other, `${lock}.${nonce}`)
  for (const path of [lock, other])
    assert.equal(
      locked(path, () => 'done'),
      'done',
    )
  assert.deepEqual(await readdir(folder), [])
})

test('a lock of a live process, of another host, or of nobody is left alone', async (t) => {
  const folder = await tempDir(t)
  const paths = ['live', 'foreign', 'unknown'].map((name) => join(folder, name))
  const [live = '', foreign = '', unknown = ''] = paths
  await holder(t, live)
  const { pid, ...rest } = JSON.parse(await readFile(live, 'utf8'))
  assert.ok(pid > 0 && rest.host === hostname())
  await writeFile(foreign, JSON.stringify({ ...rest, pid: 2 ** 22 + 1, host: 'elsewhere' }))
  await writeFile(unknown, '')
  const before = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
  for (const path of paths)
    assert.throws(() => locked(path, () => assert.fail(path), 100), /is there: another token is being made/)
  assert.deepEqual(await Promise.all(paths.map((path) => readFile(path, 'utf8'))), before)
  assert.deepEqual((await readdir(folder)).length, 3)
})
