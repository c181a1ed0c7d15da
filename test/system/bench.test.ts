import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { FIGURES } from '../../bench/figures.ts'
import { root } from '../support/daemon.ts'

const QUESTIONS = ['validation', 'acceptance', 'ready-queue', 'task-json']

const bench = async (args: string[], env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'bench', 'run.ts'), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'exit')
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exit])
  return { stdout, stderr, code: code as number }
}

test('a quick run of the benchmarks prints every row and writes its results', async () => {
  const out = await mkdtemp(join(tmpdir(), 'execgo-bench-'))
  const { stdout, stderr, code } = await bench(['--quick', '--out', out])
  assert.equal(code, 0, stderr + stdout)
  for (const name of [...FIGURES.map((figure) => figure.name), ...QUESTIONS]) {
    assert.match(stdout, new RegExp(`^${name} +\\S`, 'm'), `${name} has a row`)
  }
  const files = await readdir(out)
  assert.equal(files.length, 1)
  assert.match(files[0]!, /^\d{4}-\d\d-\d\dT\d{6}-\w+\.local\.json$/)
  const results = JSON.parse(await readFile(join(out, files[0]!), 'utf8'))
  assert.equal(results.node, process.version)
  assert.ok(results.cores > 0 && results.processor !== '' && results.commit !== '')
  assert.deepEqual(
    results.figures.map((figure: { name: string }) => figure.name),
    FIGURES.map(({ name }) => name),
  )
  for (const figure of results.figures) {
    const isMeasured = figure.durable?.median >= 0
    assert.ok(
      isMeasured || figure.notes.length > 0 || figure.name === 'cost-chain',
      `${figure.name} has a value`,
    )
    if (isMeasured && figure.judged === 'ratio')
      assert.ok(figure.durable.ratio > 0, `${figure.name} has a ratio`)
  }
  await rm(out, { recursive: true })
})

test('another server is measured beside it, and one that does not start is said so', async () => {
  const out = await mkdtemp(join(tmpdir(), 'execgo-bench-'))
  const args = ['--quick', '--only', 'get', '--out', out]
  const beside = await bench(args, { BENCH_PEER: `${process.execPath} dist/src/cli.js` })
  assert.equal(beside.code, 0, beside.stderr)
  assert.match(beside.stderr, /get peer: \d/)
  const broken = await bench(args, { BENCH_PEER: 'echo no such server >&2; exit 3' })
  assert.equal(broken.code, 1)
  assert.match(broken.stdout, /get: peer failed: the server ended with 3: no such server/)
  assert.match(broken.stdout, /^get +GET of one finished task.*\d/m)
  await rm(out, { recursive: true })
})

test('a name that is none ends it with the names that are', async () => {
  const { stderr, code } = await bench(['--only', 'speed'])
  assert.equal(code, 2)
  assert.match(stderr, /--only: no speed; there are tasks, requests/)
})
