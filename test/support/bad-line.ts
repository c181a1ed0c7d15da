/**
 * A connection to a daemon that goes wrong where it hurts most: the answer of the first submission is lost, and the
 * first stream of events breaks off in the middle of an event. Everything else goes through.
 */
import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

interface BadLine {
  readonly url: string
  /** What has gone wrong so far. */
  readonly faults: readonly string[]
  close(): void
}

/** In the middle of the first event's JSON. */
const BREAK_AFTER = '"type":"task_sub'

export const badLineTo = async (url: string): Promise<BadLine> => {
  const { hostname, port } = new URL(url)
  const open = new Set<Socket>()
  const faults: string[] = []

  /** What is to go wrong with the answer to a request, once. */
  const faultOf = (request: string): string | null => {
    const fault = request.startsWith('POST /tasks ')
      ? 'submission'
      : request.startsWith('GET /events')
        ? 'events'
        : null
    return fault === null || faults.includes(fault) ? null : fault
  }

  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    let fault: string | null = null
    const end = (): void => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      open.add(socket)
      socket.once('close', () => {
        open.delete(socket)
        end()
      })
      socket.on('error', () => {})
    }
    near.on('data', (bytes) => {
      fault ??= faultOf(bytes.toString('latin1'))
      far.write(bytes)
    })
    far.on('data', (bytes) => {
      const at = bytes.indexOf(BREAK_AFTER)
      if (fault === null || (fault === 'events' && at < 0)) return void near.write(bytes)
      faults.push(fault)
      if (fault === 'submission') end()
      else near.write(bytes.subarray(0, at + BREAK_AFTER.length), end)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    close: () => {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
