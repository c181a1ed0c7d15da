// Runs the tests with node:test through tsx: `node scripts/test.mjs [folder or file …]` (all without one).
// `node --test` on Node 20 takes no globs, so the files are named here.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const filesIn = (path) =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .flatMap((name) => filesIn(join(path, name)))
    : path.endsWith('.test.ts')
      ? [path]
      : []

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const flags = process.argv.slice(2).filter((word) => word.startsWith('--'))
const places =
  wanted.length === 0
    ? [join(root, 'test')]
    : wanted.map((word) => (existsSync(word) ? word : join(root, 'test', word)))
const files = places.flatMap(filesIn)
if (files.length === 0) {
  console.error(`no *.test.ts under ${places.join(', ')}`)
  process.exit(1)
}
const run = spawnSync(
  process.execPath,
  [
    '--import',
    'tsx',
    '--test',
    '--test-concurrency=2',
    // A test that hangs fails, rather than the whole run with it.
    '--test-timeout=600000',
    ...(process.stdout.isTTY ? [] : ['--test-reporter=spec']),
    ...flags,
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
)
process.exit(run.status ?? 1)
