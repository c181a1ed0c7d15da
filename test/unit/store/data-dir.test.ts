import assert from 'node:assert/strict'
import { chmod, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { prepareDataDir } from '../../../src/store/data-dir.ts'
import { tempDir } from '../../support/temp-dir.ts'

const refusal = async (dataDir: string): Promise<string> =>
  prepareDataDir(dataDir).then(
    () => 'taken',
    (error: Error) => error.message,
  )

describe('prepareDataDir', () => {
  it('makes the directory and those above it, empty', async (t) => {
    const dir = join(await tempDir(t), 'a', 'b')
    await prepareDataDir(dir)
    assert.deepEqual(await readdir(dir), [])
  })

  it('leaves alone what is there', async (t) => {
    const dir = await tempDir(t)
    await writeFile(join(dir, 'state.json'), '{}')
    await prepareDataDir(dir)
    await prepareDataDir(dir)
    assert.deepEqual(await readdir(dir), ['state.json'])
    assert.equal(await readFile(join(dir, 'state.json'), 'utf8'), '{}')
  })

  it('refuses a directory that cannot be made', async () => {
    assert.match(await refusal('/proc/x'), /^-data-dir: cannot write in \/proc\/x: ENOENT: .*$/)
  })

  it('refuses a directory where no file can be made', async () => {
    assert.match(await refusal('/proc'), /^-data-dir: cannot write in \/proc: ENOENT: .*$/)
  })

  it('refuses a file, and what lies below it', async (t) => {
    const file = join(await tempDir(t), 'file')
    await writeFile(file, 'kept')
    assert.match(await refusal(file), /^-data-dir: cannot write in .*\/file: EEXIST: .*$/)
    assert.match(await refusal(join(file, 'x')), /^-data-dir: cannot write in .*\/file\/x: ENOTDIR: .*$/)
    assert.equal(await readFile(file, 'utf8'), 'kept')
  })

  it('refuses a read-only directory', {
    skip: process.getuid?.() === 0 ? 'root writes anywhere' : false,
  }, async (t) => {
    const dir = await tempDir(t)
    await chmod(dir, 0o555)
    assert.match(await refusal(dir), /^-data-dir: cannot write in .*: EACCES: .*$/)
  })
})
