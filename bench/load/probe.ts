/** Starts and ends the prober. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Probed {
  readonly probes: number
  readonly longestMs: number
  /** How late its own timer came at worst: time that the machine took, not the server. */
  readonly longestLateMs: number
}

/** Resolves when it is warm; the function it resolves to ends it. */
export const startProbe = async (port: number): Promise<() => Promise<Probed>> => {
  const child = fork(fileURLToPath(new URL('./prober.ts', import.meta.url)), [String(port)], {
    execArgv: ['--import', 'tsx'],
  })
  await message(child)
  return async () => {
    const found = message(child)
    child.send('stop')
    return (await found) as Probed
  }
}

const message = async (child: ChildProcess): Promise<unknown> => {
  const ended = new AbortController()
  const exit = once(child, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('the prober ended')
  })
  exit.catch(() => {})
  try {
    const [found] = (await Promise.race([
      once(child, 'message', { signal: ended.signal }),
      exit,
    ])) as unknown[]
    return found
  } finally {
    ended.abort()
  }
}
