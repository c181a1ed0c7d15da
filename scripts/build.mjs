// Compiles src/ and workers/ into dist/. Does nothing when dist/ is newer than every source.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'dist', '.built')
const inputs = ['src', 'workers', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs']

const newest = (path) => {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return readdirSync(path).reduce((most, name) => Math.max(most, newest(join(path, name))), stat.mtimeMs)
}
const latest = Math.max(...inputs.map((path) => newest(join(root, path))))

if (!existsSync(stamp) || statSync(stamp).mtimeMs < latest) {
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  chmodSync(join(root, 'dist', 'src', 'cli.js'), 0o755)
  writeFileSync(stamp, '')
}
