/** Where the figures come from: without it they say nothing. */
import { execFileSync } from 'node:child_process'
import { existsSync, statfsSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

export interface Environment {
  readonly date: string
  readonly node: string
  readonly processor: string
  readonly cores: number
  readonly memoryMb: number
  readonly kernel: string
  /** Short; `unknown` outside a clone. */
  readonly commit: string
  /** Whether the files differ from the commit. */
  readonly isDirty: boolean
  /** Whether the data directories lie in memory, where a sync costs nothing. */
  readonly isDataInMemory: boolean
  /** EXECGO_… variables that were set, which every server gets too; without secrets. */
  readonly settings: Readonly<Record<string, string>>
}

const TMPFS = 0x01021994

export const readEnvironment = (root: string): Environment => ({
  date: new Date().toISOString(),
  node: process.version,
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryMb: Math.round(totalmem() / 2 ** 20),
  kernel: `${process.platform} ${release()}`,
  commit: git(root, 'rev-parse', '--short', 'HEAD') || 'unknown',
  isDirty: git(root, 'status', '--porcelain', '--untracked-files=no') !== '',
  isDataInMemory: statfsSync(existsSync(join(root, 'data')) ? join(root, 'data') : root).type === TMPFS,
  settings: Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      name.startsWith('EXECGO_') && !/TOKEN|SECRET|PASSWORD|KEY/.test(name) ? [[name, value ?? '']] : [],
    ),
  ),
})

const git = (root: string, ...args: string[]): string => {
  try {
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return ''
  }
}
