import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as http2Connect } from 'node:http2'
import { type Socket, connect as netConnect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { OldClient, call, connect } from '../../../support/grpc-transcript.ts'
import { type Edge, startEdge } from '../../../support/service-rig.ts'

const PATIENCE_MS = 500
const EVERY_MS = 50

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
/** HEADERS of a stream that are never all there: 16 KiB are announced. */
const HEADERS = Buffer.from([0, 0x40, 0, 1, 4, 0, 0, 0, 1, 0x82])

const socketTo = (t: TestContext, { grpcAddress }: Edge): Socket => {
  const socket = netConnect(Number(grpcAddress.split(':').at(-1)), '127.0.0.1')
  // The server may have closed it when the next byte is sent.
  socket.on('error', () => {}).resume()
  t.after(() => void socket.destroy())
  return socket
}

const sessionTo = (t: TestContext, { grpcAddress }: Edge): ClientHttp2Session => {
  const session = http2Connect(`http://${grpcAddress}`)
  session.on('error', () => {})
  t.after(() => session.destroy())
  return session
}

const begin = (session: ClientHttp2Session, method: string): ClientHttp2Stream =>
  session.request({
    ':method': 'POST',
    ':path': `/execgo.v1.ExecGo/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  })

/** Sends a byte now and then, until the other side has had enough. */
const drip = (to: Socket | ClientHttp2Stream, bytes: Buffer): void => {
  let at = 0
  const timer = setInterval(() => {
    if (!to.destroyed && !to.writableEnded) to.write(bytes.subarray(at, ++at))
  }, EVERY_MS)
  to.once('close', () => clearInterval(timer))
}

test('a connection on which no call is made is closed, whatever it sends', async (t) => {
  const edge = await startEdge(t, { headerMs: PATIENCE_MS, bodyMs: PATIENCE_MS })
  const silent = socketTo(t, edge)
  const slow = socketTo(t, edge)
  drip(slow, PREFACE)
  const half = socketTo(t, edge)
  half.write(Buffer.concat([PREFACE, SETTINGS, HEADERS]))
  drip(half, Buffer.alloc(10_000))
  const idle = sessionTo(t, edge)
  await Promise.all([silent, slow, half, idle].map((each) => once(each, 'close')))
})

test('a call whose request comes a byte at a time is ended, and so is its connection', async (t) => {
  const edge = await startEdge(t, { headerMs: PATIENCE_MS, bodyMs: PATIENCE_MS })
  const session = sessionTo(t, edge)
  const slow = begin(session, 'GetTask')
  const closed = once(slow, 'close')
  // A message of 1000 bytes.
  drip(slow, Buffer.concat([Buffer.from([0, 0, 0, 3, 0xe8]), Buffer.alloc(1000)]))
  const silent = begin(session, 'SubmitTasks')
  const gone = once(silent, 'close')
  for (const stream of [slow, silent]) {
    stream.resume()
    const [headers] = (await once(stream, 'response')) as [Record<string, string>]
    assert.deepEqual(
      [headers['grpc-status'], headers['grpc-message']],
      ['4', 'the%20request%20came%20too%20slowly'],
    )
  }
  await Promise.all([closed, gone])
  await once(session, 'close')
})

test('who is answered and goes on sending is let go of', async (t) => {
  const edge = await startEdge(t, { headerMs: PATIENCE_MS, bodyMs: PATIENCE_MS })
  const session = sessionTo(t, edge)
  const statusOf = async (method: string): Promise<string | undefined> => {
    const stream = begin(session, method)
    // A message of 1 GiB, it says.
    drip(stream.resume(), Buffer.concat([Buffer.from([0, 0x40, 0, 0, 0]), Buffer.alloc(1000)]))
    const [headers] = (await once(stream, 'response')) as [Record<string, string>]
    return headers['grpc-status']
  }
  assert.deepEqual(await Promise.all([statusOf('SubmitTasks'), statusOf('Nothing')]), ['8', '12'])
  await once(session, 'close')
})

test('who takes part is not hurried', async (t) => {
  const edge = await startEdge(t, { headerMs: PATIENCE_MS, bodyMs: PATIENCE_MS })
  const session = sessionTo(t, edge)
  const watch = begin(session, 'WatchTasks')
  watch.resume().end(Buffer.from([0, 0, 0, 0, 0]))
  const client = connect(OldClient, edge.grpcAddress)
  t.after(() => client.close())
  await call(client, 'Health', {})
  await delay(PATIENCE_MS * 4)
  // Its connection was closed meanwhile; it takes another.
  await call(client, 'Health', {})
  assert.equal(watch.closed, false)
  watch.close()
  await once(session, 'close')
})
