/**
 * Asks for /health every millisecond and keeps the longest time to an answer: how long the server's event loop stood
 * still. A process of its own, so that the client that makes the load cannot be what stands still.
 * Sends `ready` when it is warm; at any message it ends with what it found.
 */
import { Connection } from './client.ts'
import { get } from './requests.ts'
import type { Probed } from './probe.ts'

const PACE_MS = 1
const WARM_UP = 200

const request = get('/health')
const connection = await Connection.open(Number(process.argv[2]))
let probes = 0
let longestMs = 0
let longestLateMs = 0
let sentAt = 0
let dueAt = 0

const fail = (error: Error): never => {
  process.stderr.write(`prober: ${error.message}\n`)
  process.exit(1)
}

const probe = (): void => {
  sentAt = performance.now()
  if (probes > WARM_UP) longestLateMs = Math.max(longestLateMs, sentAt - dueAt)
  connection.send(request, onAnswer, fail)
}

const onAnswer = (): void => {
  const now = performance.now()
  probes++
  if (probes > WARM_UP) longestMs = Math.max(longestMs, now - sentAt)
  if (probes === WARM_UP) process.send!('ready')
  dueAt = now + PACE_MS
  setTimeout(probe, PACE_MS)
}

process.once('message', () => {
  const found: Probed = { probes: probes - WARM_UP, longestMs, longestLateMs }
  process.send!(found, () => process.exit(0))
})
process.once('disconnect', () => process.exit(0))
probe()
