/** Who is slow over TLS is cut off as in the clear, over HTTP/2 too; who waits for an answer is not. @see contract B4 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { type Socket, connect as netConnect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls'
import { certificateIn } from '../support/certificate.ts'
import { SOON_MS, type TestDaemon, startDaemon } from '../support/daemon.ts'
import { answerOn, expectRaw, statusOn } from '../support/raw-answers.ts'
import { tempDir } from '../support/temp-dir.ts'

/** Beyond both timeouts of the daemons here, with the second in which Node looks after HTTP/1.1. */
const LONG_MS = 5000

const start = async (t: TestContext): Promise<{ daemon: TestDaemon; port: number; ca: Buffer }> => {
  const { cert, key } = certificateIn(await tempDir(t))
  const timeouts = { EXECGO_HEADER_TIMEOUT: '1s', EXECGO_BODY_TIMEOUT: '1s' }
  const daemon = await startDaemon({ env: { EXECGO_TLS_CERT: cert, EXECGO_TLS_KEY: key, ...timeouts } })
  return { daemon, port: Number(new URL(daemon.url).port), ca: await readFile(cert) }
}

/** What came back until the daemon closed the connection, in both directions: the client never does. */
const untilClosed = async (socket: Socket): Promise<string> => {
  let answer = ''
  socket.setEncoding('utf8').on('data', (piece) => (answer += piece))
  const signal = AbortSignal.timeout(SOON_MS)
  await once(socket, 'end', { signal })
  // The end of the daemon's side shows by itself, that of ours by what comes of writing.
  const writing = setInterval(() => socket.write(' '), 100)
  await once(socket, 'close', { signal }).catch((error: NodeJS.ErrnoException) =>
    assert.match(error.code ?? error.name, /^(?:EPIPE|ECONNRESET)$/),
  )
  clearInterval(writing)
  return answer
}

const graphOf = (id: string): string => JSON.stringify({ tasks: [{ id, type: 'noop' }] })

/** What comes until the server is done with it; the client's side stays open. */
const answerOf = async (stream: ClientHttp2Stream): Promise<[number, string]> => {
  const { status, text } = await answerOn(stream)
  if (!stream.closed) await once(stream, 'close', { signal: AbortSignal.timeout(SOON_MS) })
  return [status, text]
}

const found = async (session: ClientHttp2Session, id: string): Promise<number> =>
  (await answerOn(session.request({ ':path': `/tasks/${id}` }))).status

test('connections over TLS that do not come to a request are closed', async (t) => {
  const { daemon, port, ca } = await start(t)
  t.after(() => daemon.stop())
  const secure = (protocol: string, text: string): Socket => {
    const halfOpen = { allowHalfOpen: true } as ConnectionOptions
    const socket = tlsConnect({ port, host: 'localhost', ca, ALPNProtocols: [protocol], ...halfOpen })
    socket.write(text)
    return socket
  }
  const body = graphOf('slow')
  const [noHandshake, noHeaders, halfHeaders, halfBody, noPreface] = await Promise.all(
    [
      netConnect({ port, host: '127.0.0.1', allowHalfOpen: true }),
      secure('http/1.1', ''),
      secure('http/1.1', 'GET /health HTTP/1.1\r\nHost: localhost\r\n'),
      secure('http/1.1', `POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n${body}`),
      secure('h2', ''),
    ].map(untilClosed),
  )
  assert.equal(noHandshake, '')
  assert.doesNotMatch(noPreface!, /HTTP/)
  for (const answer of [noHeaders, halfHeaders]) expectRaw('', '', answer!)
  expectRaw('POST', '/tasks', halfBody!)
  for (const answer of [noHeaders, halfHeaders, halfBody]) {
    assert.match(answer!, /^HTTP\/1\.1 408 Request Timeout\r\n/)
    assert.match(answer!, /\{"error":"the request came too slowly"\}$/)
  }
  const pinging = connectHttp2(`https://127.0.0.1:${port}`, { ca })
  const pings = setInterval(() => pinging.destroyed || pinging.ping(() => {}), 200)
  await once(pinging, 'close', { signal: AbortSignal.timeout(SOON_MS) })
  clearInterval(pings)
})

test('a connection without a handshake does not hold up the stop', async (t) => {
  const { cert, key } = certificateIn(await tempDir(t))
  const env = { EXECGO_TLS_CERT: cert, EXECGO_TLS_KEY: key, EXECGO_HEADER_TIMEOUT: '1h' }
  const daemon = await startDaemon({ env })
  const socket = netConnect(Number(new URL(daemon.url).port), '127.0.0.1')
  await once(socket, 'connect')
  const closed = once(socket, 'close', { signal: AbortSignal.timeout(SOON_MS) })
  assert.equal(await daemon.stop(), 0)
  await closed
})

test('HTTP/2: a body that does not come to its end is answered 408, and not taken for whole', async (t) => {
  const { daemon, port, ca } = await start(t)
  t.after(() => daemon.stop())
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca })
  t.after(() => session.destroy())
  const post = (path: string): ClientHttp2Stream => session.request({ ':method': 'POST', ':path': path })

  const slow = post('/tasks')
  slow.write(graphOf('slow'))
  assert.deepEqual(await answerOf(slow), [408, '{"error":"the request came too slowly"}'])

  const answered = post('/nowhere')
  answered.write('{')
  assert.match((await answerOf(answered)).join(), /^404,.*no such route/)

  const unread = session.request({ ':path': '/health' }, { endStream: false })
  assert.match((await answerOf(unread)).join(), /^200,.*"ok"/)

  // Its close() would end the body first.
  const lost = connectHttp2(`https://127.0.0.1:${port}`, { ca })
  lost.request({ ':method': 'POST', ':path': '/tasks' }).write(graphOf('lost'))
  await once(lost, 'connect')
  await sleep(200)
  lost.destroy()
  await sleep(200)
  for (const id of ['slow', 'lost']) assert.equal(await found(session, id), 404, id)
})

test('HTTP/2: who reads slowly gets all of an answer, also where nobody reads the body', async (t) => {
  const { daemon, port, ca } = await start(t)
  t.after(() => daemon.stop())
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, settings: { initialWindowSize: 5 } })
  t.after(() => session.destroy())
  for (const path of ['/graphs/none/retry', '/tasks', '/nowhere']) {
    const stream = session.request({ ':method': 'POST', ':path': path })
    stream.end('{')
    assert.ok(JSON.parse((await answerOn(stream)).text).error, path)
  }
})

test('HTTP/2: streams of events, long waits and idle sessions are not cut off', async (t) => {
  const { daemon, port, ca } = await start(t)
  t.after(() => daemon.stop())
  const [watching, waiting, idle] = [1, 2, 3].map(() => connectHttp2(`https://127.0.0.1:${port}`, { ca }))
  t.after(() => {
    for (const session of [watching, waiting, idle]) session!.destroy()
  })
  const submit = async (tasks: object[]): Promise<unknown> => {
    const stream = idle!.request({ ':method': 'POST', ':path': '/tasks' })
    stream.end(JSON.stringify({ tasks }))
    return (await answerOn(stream)).status
  }
  assert.equal(await submit([{ id: 'long', type: 'sleep', params: { duration_ms: 600_000 } }]), 202)
  const events = watching!.request({ ':path': '/events?task_id=late' })
  assert.equal(await statusOn(events), 200)
  let seen = ''
  events.setEncoding('utf8').on('data', (piece) => (seen += piece))
  const startedMs = performance.now()
  const wait = waiting!.request({ ':path': `/tasks/long?wait=${LONG_MS}ms` })
  assert.equal((await answerOn(wait)).status, 200)
  assert.ok(performance.now() - startedMs > LONG_MS - 500)
  // The session was idle for as long as the other waited.
  assert.equal(await submit([{ id: 'late', type: 'noop' }]), 202)
  for (const end = Date.now() + SOON_MS; !seen.includes('late') && Date.now() < end; ) await sleep(50)
  assert.match(seen, /"late"/)
  assert.equal(events.closed, false)
  const cancel = idle!.request({ ':method': 'POST', ':path': '/tasks/long/cancel' })
  cancel.end()
  assert.equal((await answerOn(cancel)).status, 202)
})
