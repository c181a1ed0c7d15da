// Compiles src/ and workers/ into dist/, and puts there what the documentation page loads. Does nothing when dist/ is newer than every source.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
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
  mkdirSync(join(root, 'dist', 'docs'))
  const docs = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'LICENSE', 'NOTICE']
  for (const name of docs)
    copyFileSync(join(root, 'node_modules', 'swagger-ui-dist', name), join(root, 'dist', 'docs', name))
  writeFileSync(stamp, '')
}
