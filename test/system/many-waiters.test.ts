/**
 * 5,000 clients that wait and 500 that watch, each on a connection of its own: they cost a bounded amount of memory, and
 * leave nothing behind when they break off. As many as this process may open descriptors for, where that is less.
 */
import assert from 'node:assert/strict'
import { execSync } from 'node:child_process'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { test } from 'node:test'
import { anonymousMb, descriptorsOf } from '../support/children.ts'
import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { expectRaw } from '../support/raw-answers.ts'

/** Connections that are made at a time: fewer than the kernel keeps in line. */
const AT_ONCE = 200
const HEAP_MB = 192
const ROUNDS = 2
/** More than the first time. The heap of Node 24 takes five rounds to level off, at 160 MB more. */
const MOST_MORE_MB = Number(process.versions.node.split('.')[0]) < 24 ? 40 : 240
/** Of a waiter and a reader: sockets, requests and streams, most of it Node's. */
const MOST_KIB_EACH = 40

interface Client {
  readonly socket: Socket
  readonly path: string
  /** What came. */
  text: string
}

const ask = async ({ url }: TestDaemon, path: string): Promise<Client> => {
  const { hostname, port } = new URL(url)
  const client = { socket: connect(Number(port), hostname), path, text: '' }
  client.socket
    .on('error', () => {})
    .setEncoding('utf8')
    .on('data', (piece: string) => {
      client.text += piece
    })
  await once(client.socket, 'connect')
  client.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  return client
}

const askOften = async (daemon: TestDaemon, path: string, count: number): Promise<Client[]> => {
  const clients: Client[] = []
  while (clients.length < count)
    clients.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, count - clients.length) }, () => ask(daemon, path)),
      )),
    )
  return clients
}

test('they cost little, are told, and leave nothing behind', { timeout: 300_000 }, async (t) => {
  const mayOpen = Number(execSync('ulimit -n', { shell: '/bin/sh' }).toString()) || 10_000
  const share = Math.min(1, (mayOpen - 200) / 5500)
  const [waiters, readers] = [Math.floor(5000 * share), Math.floor(500 * share)]
  // V8 lets its heap grow as long as there is room: without much of it, what is held is what is needed.
  const daemon = await startDaemon({ env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` } })
  const pid = daemon.child.pid!
  let clients: Client[] = []
  t.after(async () => {
    for (const { socket } of clients) socket.destroy()
    await daemon.stop()
  })
  const awaited = { id: 'awaited', type: 'sleep', params: { duration_ms: 600_000 } }
  const round = async (): Promise<number> => {
    clients = await askOften(daemon, '/tasks/awaited?wait=5m', waiters)
    clients.push(...(await askOften(daemon, '/events', readers)))
    await eventually('all watch', () =>
      clients.slice(waiters).every(({ text }) => text.includes(': watching')),
    )
    return anonymousMb(pid)
  }
  await daemon.submit([awaited])
  const [openBefore, before] = [descriptorsOf(pid), anonymousMb(pid)]

  const first = await round()
  assert.equal(descriptorsOf(pid), openBefore + clients.length)
  // All of them are told of the same end.
  await daemon.request('POST', '/tasks/awaited/cancel')
  await eventually('all are told', () => clients.every(({ text }) => text.includes('cancelled')))
  for (const { path, text } of clients) expectRaw('GET', path, text)
  for (const { socket } of clients) socket.resetAndDestroy()
  await eventually('the descriptors are closed', () => descriptorsOf(pid) <= openBefore + 2)

  // Again and again, broken off without an answer: it comes to no more than the first time.
  const rounds: number[] = []
  await daemon.submit([awaited])
  for (let at = 0; at < ROUNDS; at++) {
    rounds.push(await round())
    for (const { socket } of clients) socket.resetAndDestroy()
    await eventually('the descriptors are closed', () => descriptorsOf(pid) <= openBefore + 2)
  }
  t.diagnostic(`RssAnon ${before} MB before, ${first} MB with ${clients.length} clients, then ${rounds} MB`)
  assert.ok(first - before <= 30 + (clients.length * MOST_KIB_EACH) / 1024, `${first} MB`)
  for (const megabytes of rounds) assert.ok(megabytes <= first + MOST_MORE_MB, `${megabytes} MB`)
  assert.equal((await daemon.request('GET', '/health')).status, 200)
})
