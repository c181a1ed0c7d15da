import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { JsonObject } from '../../../../src/domain/json.ts'
import { cleanPath } from '../../../../workers/tools/file/clean-path.ts'
import { file } from '../../../../workers/tools/file/file.ts'
import { modeText, nanosecondTime } from '../../../../workers/tools/file/file-mode.ts'
import { attemptOf, messageOf, runTool } from '../support.ts'

const scratch = mkdtempSync(join(tmpdir(), 'execgo-file-'))
after(() => rmSync(scratch, { recursive: true }))
const at = (name: string): string => join(scratch, name)

const failure = async (input: JsonObject): Promise<string> => messageOf(await runTool(file, input))

test('writes, appends, reads and deletes', async () => {
  const path = `${scratch}//deep/./er/../er/a.txt`
  assert.deepEqual(await runTool(file, { action: 'write', path, content: 'grüß' }), {
    ok: true,
    output: { bytes_written: 6 },
  })
  assert.deepEqual(await runTool(file, { action: 'append', path, content: '!' }), {
    ok: true,
    output: { bytes_written: 1 },
  })
  assert.deepEqual(await runTool(file, { action: 'read', path }), {
    ok: true,
    output: { content: 'grüß!', size: 7 },
  })
  assert.equal(statSync(at('deep/er/a.txt')).mode & 0o777, 0o644 & ~process.umask())
  assert.equal(statSync(at('deep/er')).mode & 0o777, 0o755 & ~process.umask())
  await runTool(file, { action: 'write', path })
  assert.equal(readFileSync(at('deep/er/a.txt'), 'utf8'), '')
  assert.deepEqual(await runTool(file, { action: 'delete', path }), { ok: true, output: { deleted: true } })
  assert.deepEqual(await runTool(file, { action: 'delete', path: at('deep/er') }), {
    ok: true,
    output: { deleted: true },
  })
})

test('reads bytes that are no text, and files whose size nobody knows', async () => {
  writeFileSync(at('raw'), Buffer.from([0x61, 0xff, 0x62]))
  assert.deepEqual(await runTool(file, { action: 'read', path: at('raw') }), {
    ok: true,
    output: { content: 'a\ufffdb', size: 3 },
  })
  const result = await runTool(file, { action: 'read', path: '/proc/self/status' })
  assert.ok(result.ok && /Name:/.test((result.output as { content: string }).content))
})

test('reads no more than the limit', async () => {
  const read = async (path: string): Promise<string> =>
    messageOf(
      await runTool(file, { action: 'read', path }, attemptOf({ settings: { fileReadLimitBytes: 100 } })),
    )
  writeFileSync(at('fits'), 'x'.repeat(100))
  writeFileSync(at('large'), 'x'.repeat(101))
  assert.match(await read(at('fits')), /^succeeded: .*"size":100/)
  assert.equal(await read(at('large')), 'read file: file too large (101 bytes, limit 100)')
  assert.equal(await read('/dev/zero'), 'read file: file too large (101 bytes, limit 100)')
})

test('a pipe that nobody writes holds nothing up', async () => {
  execFileSync('sh', ['-c', 'mkfifo "$0"', at('pipe')])
  assert.deepEqual(await runTool(file, { action: 'read', path: at('pipe') }), {
    ok: true,
    output: { content: '', size: 0 },
  })
  assert.equal(
    await failure({ action: 'write', path: at('pipe'), content: 'x' }),
    `open file: open ${at('pipe')}: no such device or address`,
  )
})

test('stats a file, through a link', async () => {
  writeFileSync(at('known'), 'abc')
  chmodSync(at('known'), 0o640)
  utimesSync(at('known'), 1_700_000_000, 1_700_000_000)
  symlinkSync('known', at('link'))
  assert.deepEqual(await runTool(file, { action: 'stat', path: at('link') }), {
    ok: true,
    output: { is_dir: false, mod_time: '2023-11-14T22:13:20Z', mode: '-rw-r-----', name: 'link', size: 3 },
  })
  const root = await runTool(file, { action: 'stat', path: '/' })
  assert.ok(
    root.ok && (root.output as JsonObject).name === '/' && (root.output as JsonObject).is_dir === true,
  )
})

test('says why it failed', async () => {
  writeFileSync(at('f'), 'x')
  mkdirSync(at('full/sub'), { recursive: true })
  const cases: readonly (readonly [string, string, string])[] = [
    ['read', at('none'), `read file: open ${at('none')}: no such file or directory`],
    ['read', scratch, `read file: read ${scratch}: is a directory`],
    ['read', 'a\0b', 'read file: open a\0b: invalid argument'],
    ['write', at('f/x'), `create directory: mkdir ${at('f')}: not a directory`],
    ['write', at('f/x/y/z'), `create directory: mkdir ${at('f')}: not a directory`],
    ['append', at('full'), `open file: open ${at('full')}: is a directory`],
    ['write', '/dev/full', 'write file: write /dev/full: no space left on device'],
    ['delete', at('none'), `delete file: remove ${at('none')}: no such file or directory`],
    ['delete', at('full'), `delete file: remove ${at('full')}: directory not empty`],
    ['stat', at('none'), `stat file: stat ${at('none')}: no such file or directory`],
  ]
  for (const [action, path, message] of cases) {
    assert.equal(await failure({ action, path, content: 'x' }), message)
  }
})

test('refuses what it cannot do', async () => {
  const supported = '(supported: read, write, append, delete, stat)'
  assert.equal(await failure({ action: 'nonsense' }), 'path is required')
  assert.equal(await failure({ path: 'x' }), `unknown action "" ${supported}`)
  assert.equal(await failure({ path: 'x', action: 'Read' }), `unknown action "Read" ${supported}`)
  assert.equal(await failure({ path: 'x', action: 'toString' }), `unknown action "toString" ${supported}`)
  assert.equal(
    await failure({ path: 1 }),
    'parse file params: json: cannot unmarshal number into Go struct field FileParams.path of type string',
  )
})

test('cleans paths', () => {
  const cases = {
    'a/../b': 'b',
    './x': 'x',
    'x/': 'x',
    '//a//b': '/a/b',
    '/../x': '/x',
    '../../e': '../../e',
    'a/..': '.',
    ' ': ' ',
    '/': '/',
  }
  for (const [path, clean] of Object.entries(cases)) assert.equal(cleanPath(path), clean)
})

test('writes modes and times', () => {
  assert.equal(modeText(0o100644), '-rw-r--r--')
  assert.equal(modeText(0o040755), 'drwxr-xr-x')
  assert.equal(modeText(0o041777), 'dtrwxrwxrwx')
  assert.equal(modeText(0o104755), 'urwxr-xr-x')
  assert.equal(modeText(0o020666), 'Dcrw-rw-rw-')
  assert.equal(modeText(0o010600), 'prw-------')
  assert.equal(nanosecondTime(1_700_000_000_120_000_005n), '2023-11-14T22:13:20.120000005Z')
  assert.equal(nanosecondTime(-1n), '1969-12-31T23:59:59.999999999Z')
})
