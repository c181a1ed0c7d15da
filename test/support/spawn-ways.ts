/** The ways in which commands are started on this machine: one suite of tests runs over each. */
import type { SpawnChoice } from '../../src/pool/messages.ts'

/** Its header names the C library's version where that is glibc. */
const { header } = process.report.getReport() as unknown as { header: object }

const hasPosix =
  process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch) && 'glibcVersionRuntime' in header

export const SPAWN_WAYS: readonly SpawnChoice['way'][] = hasPosix ? ['posix', 'node'] : ['node']
