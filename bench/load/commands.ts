/** Short commands: by the server, and by xargs, which is as bare as that gets. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Connection } from './client.ts'
import { alike } from './graphs.ts'
import { post } from './requests.ts'
import { type Contestant, secondsOf } from './scenario.ts'

/** At once, on both sides. */
export const AT_ONCE = 10

/** Commands a second of `xargs -P10 -n1 /bin/echo`. */
export const xargs = async (count: number): Promise<number> => {
  const words = Array.from({ length: count }, (_, at) => `hello${at}\n`).join('')
  const seconds = await secondsOf(async () => {
    const child = spawn('xargs', [`-P${AT_ONCE}`, '-n1', '/bin/echo'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    child.stdin.end(words)
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`xargs ended with ${code}`)
  })
  return count / seconds
}

/** Rarer than elsewhere: nobody asks xargs how far it is, and here each question costs as much as a tenth of a command. */
const POLL_MS = 50

/** Tasks a second of `shell echo`; `before` were over before. */
export const echoes = async (
  { server, settled }: Contestant,
  prefix: string,
  count: number,
  before: number,
): Promise<number> => {
  const request = post('/tasks', alike(prefix, count, 'shell', { command: 'echo', args: ['hello'] }))
  const connection = await Connection.open(server.port)
  try {
    const seconds = await secondsOf(async () => {
      const { status, text } = await connection.ask(request)
      if (status !== 202) throw new Error(`${status} ${text}`)
      await settled(before + count, POLL_MS)
    })
    return count / seconds
  } finally {
    connection.close()
  }
}
