import { connect } from 'node:net'
import { dialReason, joinHostPort, LATE, lookupReason, stopReason } from '../reasons.ts'
import { splitHostPort } from './host-port.ts'
import { InputFields } from './input.ts'
import { isRefusedAddress, lookupFor, NOT_PUBLIC, refusalOf } from './net-policy.ts'
import { deny, done, failDuring, refuse, type Tool, type ToolContext } from './tool.ts'

const DEFAULT_TIMEOUT_MS = 5000
const MAX_TIMEOUT_MS = 60_000

/** `''` once a connection was made (it is closed again), else why there was none. */
const dial = (
  host: string,
  port: number,
  timeoutMs: number,
  { signal, settings }: ToolContext,
): Promise<string> =>
  new Promise((resolve) => {
    // No name holds a NUL. Node 20 looks it up and finds none, Node 24 throws.
    if (host.includes('\0')) return resolve(`dial tcp: ${lookupReason(host, { code: 'ENOTFOUND' })}`)
    // Port 0 is no port to Node, but one that refuses to the system.
    const socket = connect({
      host: host === '' ? 'localhost' : host,
      port,
      autoSelectFamilyAttemptTimeout: 1000,
      ...lookupFor(settings),
    })
    const ended = (reason: string): string => `dial tcp ${joinHostPort(host, port)}: ${reason}`
    const timer = setTimeout(() => settle(ended(LATE)), timeoutMs)
    const onAbort = (): void => settle(ended(stopReason(signal)))
    const settle = (reason: string): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(reason)
    }
    socket.once('connect', () => settle(''))
    // It stays for good: an error after the end is nobody's business any more.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle(error.code === NOT_PUBLIC ? error.message : dialReason(error, host, port)),
    )
    signal.addEventListener('abort', onAbort, { once: true })
  })

/** Tries whether a TCP connection can be made. @see contract A5 */
export const tcp: Tool = {
  name: 'tcp',
  async run(input, context) {
    const fields = new InputFields(input, context, 'tcp params', 'TCPParams')
    const address = fields.string('address')
    const timeoutMs = fields.integer('timeout_ms')
    if (fields.problem !== null) return refuse(fields.problem)
    if (address === '') return refuse('address is required (host:port)')
    if (timeoutMs > MAX_TIMEOUT_MS) return refuse(`timeout_ms exceeds max of ${MAX_TIMEOUT_MS} ms`)
    const target = splitHostPort(address)
    if (typeof target === 'string') return refuse(`tcp dial: dial tcp: ${target}`)
    if (isRefusedAddress(target.host, context.settings)) return deny(`tcp dial: ${refusalOf(target.host)}`)
    const reason = await dial(
      target.host,
      target.port,
      timeoutMs > 0 ? timeoutMs : DEFAULT_TIMEOUT_MS,
      context,
    )
    if (reason === refusalOf(target.host || 'localhost')) return deny(`tcp dial: ${reason}`)
    return reason === '' ? done({ address, ok: true }) : failDuring(`tcp dial: ${reason}`, context)
  },
}
