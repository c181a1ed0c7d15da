/** Which way commands are started on this machine, decided once for each thread, when it begins. */
import type { WorkerSettings } from '../../src/pool/messages.ts'
import { BoundedOutput } from './bounded-output.ts'
import type { HoldingsTable } from './holdings.ts'
import { NodeStarter } from './node-starter.ts'
import { PipeReader } from './pipe-reader.ts'
import { loadLibc } from './posix-spawn/libc.ts'
import { PosixStarter } from './posix-spawn/posix-starter.ts'
import type { ProcessStarter } from './starter.ts'

const TEST_WITHIN_MS = 10_000
const ARCHITECTURES: readonly string[] = ['x64', 'arm64']

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Starts a command that uses all of it. Throws what is wrong. */
const testStarter = async (starter: ProcessStarter): Promise<void> => {
  const result = await starter.start({
    command: '/bin/sh',
    args: ['-c', 'echo "$0 $WORD"; pwd >&2; exit 7', 'said'],
    dir: '/',
    environment: { inherited: {}, own: { WORD: 'so' } },
    isOutputTogether: false,
  })
  if (!result.ok) throw new Error(result.reason)
  const { pid, stdout, stderr, exited } = result.process
  const outputs = [new BoundedOutput(1024), new BoundedOutput(1024)] as const
  const pipes = [new PipeReader(stdout, outputs[0]), new PipeReader(stderr!, outputs[1])]
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      process.kill(pid, 'SIGKILL')
      reject(new Error('a command that was started never ended'))
    }, TEST_WITHIN_MS)
  })
  const exit = await Promise.race([exited, late])
  await Promise.race([Promise.all(pipes.map((pipe) => pipe.ended)), late])
  clearTimeout(timer)
  const came = `${exit.code}: ${outputs.map((output) => output.finish().text).join('')}`
  if (came !== '7: said so\n/\n') throw new Error(`a command came to ${JSON.stringify(came)}`)
}

const posixStarter = async (table: HoldingsTable): Promise<ProcessStarter> => {
  const { platform, arch } = process
  if (platform !== 'linux' || !ARCHITECTURES.includes(arch)) {
    throw new Error(`it is made for Linux on ${ARCHITECTURES.join(' and ')}, not for ${platform} on ${arch}`)
  }
  const starter = new PosixStarter(await loadLibc(), table)
  await testStarter(starter)
  return starter
}

export interface Choice {
  readonly starter: ProcessStarter
  /** Why it is not posix_spawn, `''` where it is, or where it was not to be. */
  readonly reason: string
}

/** @throws where posix_spawn was asked for and does not work */
export const chooseStarter = async (
  asked: WorkerSettings['spawn'],
  table: HoldingsTable,
): Promise<Choice> => {
  if (asked === 'node') return { starter: new NodeStarter(table), reason: '' }
  try {
    return { starter: await posixStarter(table), reason: '' }
  } catch (error) {
    const reason = messageOf(error)
    if (asked === 'posix')
      throw new Error(`EXECGO_SPAWN: posix does not work here: ${reason}`, { cause: error })
    return { starter: new NodeStarter(table), reason }
  }
}
