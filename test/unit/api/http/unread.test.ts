import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type RequestListener, type ServerResponse, createServer as createHttpServer } from 'node:http'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
} from 'node:http2'
import { type AddressInfo, type Socket, connect as connectNet, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { secureServer } from '../../../../src/api/http/tls.ts'
import { endUnreadAnswers } from '../../../../src/api/http/unread.ts'
import { certificateIn } from '../../../support/certificate.ts'
import { SOON_MS } from '../../../support/daemon.ts'
import { eventually } from '../../../support/eventually.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const UNREAD_MS = 400
const PIECE = Buffer.alloc(64 * 1024, 'x')

interface Rig {
  readonly connect: (options?: { readonly port?: number; readonly settings?: object }) => ClientHttp2Session
  readonly port: number
  /** Pieces of endless answers that were made. */
  readonly made: () => number
  readonly open: () => number
}

/** Answers `/endless` piece by piece, `/long` as a whole, `/late` after a while. */
const start = async (t: TestContext, isSecure = true): Promise<Rig> => {
  const paths = certificateIn(await tempDir(t))
  const [cert, key] = [readFileSync(paths.cert), readFileSync(paths.key)]
  let made = 0
  let open = 0
  const endless = (outgoing: ServerResponse): void => {
    for (let goesOn = true; goesOn && !outgoing.destroyed; made++) goesOn = outgoing.write(PIECE)
    outgoing.once('drain', () => endless(outgoing))
  }
  const patience = { headerMs: SOON_MS, bodyMs: SOON_MS, idleMs: SOON_MS }
  const serve: RequestListener = ({ url }, outgoing) => {
    open++
    outgoing.once('close', () => open--)
    if (url === '/endless') endless(outgoing)
    else if (url === '/long') outgoing.end(Buffer.alloc(16 * 1024 * 1024))
    else setTimeout(() => outgoing.end('late'), UNREAD_MS * 4)
  }
  const server = isSecure ? secureServer({ cert, key }, {}, patience, serve) : createHttpServer(serve)
  endUnreadAnswers(server, UNREAD_MS)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sessions: ClientHttp2Session[] = []
  t.after(async () => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  const connect: Rig['connect'] = ({ port: to = port, settings = {} } = {}) => {
    const session = connectHttp2(`https://127.0.0.1:${to}`, { ca: cert, settings })
    session.on('error', () => {})
    sessions.push(session)
    return session
  }
  return { connect, port, made: () => made, open: () => open }
}

const ask = (session: ClientHttp2Session, path: string): ClientHttp2Stream => {
  const stream = session.request({ ':path': path })
  stream.on('error', () => {})
  return stream
}

const ended = async (stream: ClientHttp2Stream): Promise<number> => {
  if (!stream.closed) await once(stream, 'close', { signal: AbortSignal.timeout(SOON_MS) })
  return stream.rstCode
}

test('who takes nothing of an answer is cut off, whatever else it does', { timeout: SOON_MS }, async (t) => {
  const { connect, made, open } = await start(t)
  const session = connect({ settings: { initialWindowSize: 0 } })
  await once(session, 'connect')
  const pings = setInterval(() => session.destroyed || session.ping(() => {}), UNREAD_MS / 10)
  t.after(() => clearInterval(pings))
  const streams = Array.from({ length: 20 }, () => ask(session, '/endless').resume())
  assert.deepEqual(
    await Promise.all(streams.map(ended)),
    streams.map(() => constants.NGHTTP2_CANCEL),
  )
  assert.equal(open(), 0)
  // No more was made for them than what was to be sent next.
  assert.ok(made() <= streams.length * 2, `${made()} pieces`)
  assert.equal(session.destroyed, false)
})

test('who reads slowly, or waits for its answer, is not', { timeout: SOON_MS }, async (t) => {
  const { connect } = await start(t)
  const session = connect()
  const slow = ask(session, '/endless')
  const late = ask(session, '/late')
  const long = ask(connect({ settings: { initialWindowSize: 0 } }), '/long')
  // A piece now and then: the window is opened as it is read.
  for (const endMs = performance.now() + UNREAD_MS * 6; performance.now() < endMs; ) {
    slow.read()
    await delay(UNREAD_MS / 8)
  }
  assert.equal(slow.closed, false)
  assert.equal(await ended(late.resume()), constants.NGHTTP2_NO_ERROR)
  assert.equal(long.closed, false, 'it has a second more for each 16 KB')
})

test('a connection of which nothing at all is read is closed', { timeout: SOON_MS }, async (t) => {
  const { connect, port, open } = await start(t)
  // Between the two, it reads from the server until it is told not to.
  const way = createServer((socket) => {
    const onward = connectNet(port, '127.0.0.1')
    for (const each of [socket, onward]) each.on('error', () => {})
    socket.pipe(onward).pipe(socket)
    way.once('blocked', () => onward.unpipe(socket).pause())
    t.after(() => onward.destroy())
  })
  way.listen(0, '127.0.0.1')
  await once(way, 'listening')
  t.after(() => void way.close())
  const settings = { initialWindowSize: 2 ** 31 - 1 }
  const session = connect({ port: (way.address() as AddressInfo).port, settings })
  await once(session, 'connect')
  session.setLocalWindowSize(2 ** 31 - 1)
  await once(ask(session, '/endless'), 'response')
  way.emit('blocked')
  await eventually('the answer is let go of', () => open() === 0)
})

for (const isSecure of [false, true]) {
  test(`so it is over HTTP/1.1, ${isSecure ? 'with TLS' : 'in the clear'}`, {
    timeout: SOON_MS,
  }, async (t) => {
    const { port, open } = await start(t, isSecure)
    const connect = (): Socket =>
      isSecure ? connectTls({ port, rejectUnauthorized: false }) : connectNet(port)
    const [unread, slow, late] = [connect(), connect(), connect()]
    t.after(() => {
      for (const socket of [unread, slow, late]) socket.destroy()
    })
    for (const socket of [unread, slow]) socket.pause().write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n')
    late.write('GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await eventually('all are asked', () => open() === 3)
    const reading = setInterval(() => slow.read(), UNREAD_MS / 20)
    t.after(() => clearInterval(reading))
    assert.match(await text(late), /late$/)
    await eventually('the unread one is let go of', () => open() === 1)
    const before = slow.bytesRead
    await eventually('the slow one goes on', () => slow.bytesRead > before + 1024 * 1024)
  })
}
