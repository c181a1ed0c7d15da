import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type RequestListener, ServerResponse, createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { TextResponse } from '../../../../src/api/http/text-response.ts'

const LONG = 'long ü '.repeat(200_000)

const TEXTS: Readonly<Record<string, string>> = {
  '/empty': '',
  '/short': '{"id":"a"}',
  '/wide': 'ü€😀 and half of one: \ud83d',
  '/long': LONG,
}

/** Each answers in another way that a listener may. */
const LISTENERS: Readonly<Record<string, RequestListener>> = {
  'a head, then the text': ({ url = '' }, outgoing) => {
    const text = TEXTS[url]!
    outgoing.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(text) })
    outgoing.end(text)
  },
  'a head, then the text in chunks': ({ url = '' }, outgoing) => {
    outgoing.writeHead(200)
    outgoing.end(TEXTS[url])
  },
  'a head that has no text after it': ({ url = '' }, outgoing) => {
    outgoing.writeHead(url === '/short' ? 204 : 304)
    outgoing.end(TEXTS[url])
  },
  'a text without a head': ({ url = '' }, outgoing) => outgoing.end(TEXTS[url]),
  'a text of another encoding': ({ url = '' }, outgoing) => outgoing.end(TEXTS[url], 'latin1'),
  bytes: ({ url = '' }, outgoing) => outgoing.end(Buffer.from(TEXTS[url]!)),
  'a piece before the text': ({ url = '' }, outgoing) => {
    outgoing.write('before ')
    outgoing.end(TEXTS[url])
  },
  'a text later': ({ url = '' }, outgoing) => setTimeout(() => outgoing.writeHead(200).end(TEXTS[url]), 5),
  'a text that is not sent with this status': ({ url = '' }, outgoing) => {
    outgoing.statusCode = 304
    outgoing.end(TEXTS[url])
  },
}

const serverOf = async (
  t: TestContext,
  answers: typeof ServerResponse,
  listener: RequestListener,
): Promise<number> => {
  const server = createServer({ ServerResponse: answers }, (incoming, outgoing) => {
    outgoing.sendDate = false
    listener(incoming, outgoing)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

const exchange = async (port: number, requests: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1')
  socket.write(requests)
  return (await buffer(socket)).toString('utf8')
}

const requestOf = (line: string, headers = ''): string => `${line}\r\nHost: x\r\n${headers}\r\n`

const CLOSE = 'Connection: close\r\n'

for (const [way, listener] of Object.entries(LISTENERS)) {
  test(`${way}: the client gets what Node's own answer would give it`, async (t) => {
    const own = await serverOf(t, TextResponse, listener)
    const nodes = await serverOf(t, ServerResponse, listener)
    const paths = Object.keys(TEXTS)
    const exchanges = [
      ...paths.map((path) => requestOf(`GET ${path} HTTP/1.1`, CLOSE)),
      ...paths.map((path) => requestOf(`HEAD ${path} HTTP/1.1`, CLOSE)),
      ...paths.map((path) => requestOf(`GET ${path} HTTP/1.0`)),
      // Pipelined: all but the first wait for the one before.
      [...paths, ...paths].map((path) => requestOf(`GET ${path} HTTP/1.1`)).join('') +
        requestOf('GET /short HTTP/1.1', CLOSE),
    ]
    for (const requests of exchanges)
      assert.equal(await exchange(own, requests), await exchange(nodes, requests), requests.slice(0, 80))
  })
}

test('an answer is finished when all of it was taken, and not before', async (t) => {
  const text = 'x'.repeat(32 * 1024 * 1024)
  let answer: ServerResponse | undefined
  const port = await serverOf(t, TextResponse, (_incoming, outgoing) => {
    answer = outgoing
    outgoing.writeHead(200, { 'Content-Length': text.length })
    outgoing.end(text)
  })
  const socket = connect(port, '127.0.0.1')
  socket.write(requestOf('GET / HTTP/1.1', CLOSE))
  // The head is here, the rest does not fit into what the kernel holds.
  await once(socket, 'readable')
  assert.equal(answer!.writableEnded, true)
  assert.equal(answer!.writableFinished, false)
  const finished = once(answer!, 'finish')
  assert.ok((await buffer(socket)).length > text.length)
  await finished
})

test('a text after the end is an error, as ever, and ends nothing else', async (t) => {
  const errors: unknown[] = []
  const port = await serverOf(t, TextResponse, (_incoming, outgoing) => {
    outgoing.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code))
    outgoing.writeHead(200, { 'Content-Length': 5 })
    outgoing.end('first')
    outgoing.end('second')
  })
  const answer = await exchange(port, requestOf('GET / HTTP/1.1') + requestOf('GET / HTTP/1.1', CLOSE))
  assert.equal(answer.match(/first/g)?.length, 2)
  assert.ok(!answer.includes('second'))
  assert.deepEqual(errors, ['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_WRITE_AFTER_END'])
})

test('an answer for which the connection is closed is never finished', async (t) => {
  const told: string[] = []
  const closed = new Promise<void>((resolve) => {
    void serverOf(t, TextResponse, (incoming, outgoing) => {
      outgoing.on('finish', () => told.push('finish'))
      outgoing.on('close', () => resolve())
      incoming.socket.destroy()
      outgoing.writeHead(200, { 'Content-Length': 4 })
      outgoing.end('text')
    }).then((port) => exchange(port, requestOf('GET / HTTP/1.1', CLOSE)))
  })
  await closed
  assert.deepEqual(told, [])
})
