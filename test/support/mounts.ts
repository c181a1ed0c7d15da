/** Disks that run full or refuse: a small file system in memory, and files that may not be changed. Both need root. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const run = (command: string, ...args: string[]): void => {
  execFileSync(command, args, { stdio: 'pipe' })
}

/** A file system of `megabytes` in memory, gone with the test; `null` where this user may not mount. */
export const smallDisk = (t: TestContext, megabytes: number): string | null => {
  const path = mkdtempSync(join(tmpdir(), 'execgo-disk-'))
  try {
    run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'execgo-test', path)
  } catch {
    rmSync(path, { recursive: true })
    return null
  }
  t.after(() => {
    run('umount', '--lazy', path)
    rmSync(path, { recursive: true })
  })
  return path
}

/** Of a disk that nothing has open. */
export const remount = (path: string, how: 'ro' | 'rw'): void => run('mount', '-o', `remount,${how}`, path)

/** Whether the file system of `folder` keeps even root from changing a file that is marked so. */
export const canFreeze = (folder: string): boolean => {
  const path = join(folder, 'frozen')
  writeFileSync(path, '')
  try {
    freeze(path)
    try {
      writeFileSync(path, 'x')
      return false
    } catch {
      return true
    } finally {
      thaw(path)
    }
  } catch {
    return false
  } finally {
    rmSync(path)
  }
}

export const freeze = (...paths: string[]): void => run('chattr', '+i', ...paths)
export const thaw = (...paths: string[]): void => run('chattr', '-i', ...paths)
