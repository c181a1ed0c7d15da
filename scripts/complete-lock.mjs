// Completes package-lock.json with the optional packages of other platforms, for a registry that does not serve them:
// run it after each `npm install`, or `npm ci` refuses the lock.
import { readFileSync, writeFileSync } from 'node:fs'
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
let added = 0
const packages = lock.packages
for (const [path, entry] of Object.entries(packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`,
      top = `node_modules/${name}`
    if (packages[nested] || packages[top]) continue
    if (!/^\d+\.\d+\.\d+$/.test(range)) {
      console.error('range', name, range)
      continue
    }
    const m =
      /(android|darwin|linux|win32|freebsd|openbsd|netbsd|sunos|aix|openharmony)[-_]?(arm64|x64|arm|ia32|ppc64|riscv64|s390x|loong64|mips64el|universal)?/.exec(
        name,
      )
    packages[top] = {
      version: range,
      ...(m?.[2] ? { cpu: [m[2]] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...(m ? { os: [m[1]] } : {}),
      ...(/musl/.test(name) ? { libc: ['musl'] } : /-gnu/.test(name) ? { libc: ['glibc'] } : {}),
    }
    console.log(name, range, m?.[1], m?.[2])
    added++
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
console.log(added)
