import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { JsonObject } from '../../../../src/domain/json.ts'
import { http } from '../../../../workers/tools/http/http.ts'
import { parseUrl, shownUrl } from '../../../../workers/tools/http/url.ts'
import { attemptOf, eventually, messageOf, runTool } from '../support.ts'

const PIXEL = 'x'.repeat(1000)

/** Answers with what it was asked, and plays a few tricks. */
const answer: RequestListener = (request, response) => {
  const url = new URL(request.url ?? '/', 'http://x')
  const { pathname } = url
  if (pathname === '/to') {
    response
      .writeHead(Number(url.searchParams.get('code')), { location: url.searchParams.get('at') ?? '' })
      .end('on')
  } else if (pathname === '/loop') response.writeHead(302, { location: '/loop' }).end()
  else if (pathname === '/nowhere') response.writeHead(302).end('stay')
  else if (pathname === '/hang') return
  else if (pathname === '/close') request.socket.destroy()
  else if (pathname === '/short') {
    response.writeHead(200, { 'content-length': 100 }).write('half')
    setImmediate(() => request.socket.destroy())
  } else if (pathname === '/flood') {
    const more = (): void => {
      while (response.write(PIXEL));
    }
    response.on('drain', more)
    more()
  } else if (pathname === '/gzip') {
    const isAsked = request.headers['accept-encoding'] === 'gzip'
    response.writeHead(200, isAsked ? { 'content-encoding': 'gzip' } : {})
    response.end(isAsked && request.method !== 'HEAD' ? gzipSync('unpacked') : 'plain')
  } else {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      response.writeHead(Number(url.searchParams.get('code') ?? 200))
      response.end(JSON.stringify({ method: request.method, path: pathname, body, headers: request.headers }))
    })
  }
}

const sockets = new Set<Socket>()
const listen = async (server: Server): Promise<string> => {
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const server = createServer(answer)
const base = await listen(server)
const other = createServer(answer)
const otherBase = (await listen(other)).replace('127.0.0.1', 'localhost')
after(() => {
  server.close()
  other.close()
  for (const socket of sockets) socket.destroy()
})

interface Echo {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

const ask = async (input: JsonObject): Promise<{ status: number; echo: Echo }> => {
  const result = await runTool(http, input)
  assert.ok(result.ok, messageOf(result))
  const { body, status_code } = result.output as { body: string; status_code: number }
  return { status: status_code, echo: JSON.parse(body) as Echo }
}
const failure = async (input: JsonObject): Promise<string> => messageOf(await runTool(http, input))

test('asks, and takes whatever is answered for a success', async () => {
  const { status, echo } = await ask({ url: `${base}/ok` })
  assert.equal(status, 200)
  assert.deepEqual([echo.method, echo.path, echo.body], ['GET', '/ok', ''])
  for (const code of [404, 500]) assert.equal((await ask({ url: `${base}/ok?code=${code}` })).status, code)
})

test('sends the method, the headers and the body, and its own length', async () => {
  const { echo } = await ask({
    url: `${base.replace('//', '//me:secret@')}/x`,
    method: 'POST',
    headers: { 'X-Demo': 'yes', Host: 'ignored', 'Content-Length': '999' },
    body: 'grüß',
  })
  assert.deepEqual([echo.method, echo.body, echo.headers['x-demo']], ['POST', 'grüß', 'yes'])
  assert.equal(echo.headers['content-length'], '6')
  assert.equal(echo.headers['host'], new URL(base).host)
  assert.equal(echo.headers['authorization'], `Basic ${btoa('me:secret')}`)
  assert.equal((await ask({ url: base, method: 'POST' })).echo.headers['content-length'], '0')
  assert.equal((await ask({ url: base, body: 'with a GET' })).echo.body, 'with a GET')
})

test('follows redirects as a browser would', async () => {
  const to = (code: number, at: string): string => `${base}/to?code=${code}&at=${encodeURIComponent(at)}`
  const seen = async (code: number): Promise<string[]> => {
    const { echo } = await ask({ url: to(code, '/end'), method: 'POST', body: 'b' })
    return [echo.method, echo.path, echo.body]
  }
  for (const code of [301, 302, 303]) assert.deepEqual(await seen(code), ['GET', '/end', ''])
  for (const code of [307, 308]) assert.deepEqual(await seen(code), ['POST', '/end', 'b'])
  const kept = await ask({ url: to(302, '/end'), headers: { Authorization: 'a' } })
  assert.equal(kept.echo.headers['authorization'], 'a')
  assert.equal(kept.echo.headers['referer'], to(302, '/end'))
  const dropped = await ask({
    url: to(302, `${otherBase}/end`),
    headers: { Authorization: 'a', Cookie: 'c' },
  })
  assert.equal(dropped.echo.headers['authorization'], undefined)
  assert.equal(dropped.echo.headers['cookie'], undefined)
  const stay = await runTool(http, { url: `${base}/nowhere` })
  assert.deepEqual(stay, { ok: true, output: { body: 'stay', status_code: 302 } })
})

test('does not follow them for ever, nor anywhere', async () => {
  assert.equal(
    await failure({ url: `${base}/loop`, method: 'DELETE' }),
    'http request failed: Delete "/loop": stopped after 10 redirects',
  )
  assert.equal(
    await failure({ url: `${base}/to?code=302&at=ftp://x/y` }),
    'http request failed: Get "ftp://x/y": unsupported protocol scheme "ftp"',
  )
})

test('cuts the body at its limit and lets the rest go', async () => {
  const result = await runTool(
    http,
    { url: `${base}/flood` },
    attemptOf({ settings: { httpBodyLimitBytes: 5000 } }),
  )
  assert.deepEqual(result, { ok: true, output: { body: 'x'.repeat(5000), status_code: 200 } })
  await eventually(() => sockets.size === 0)
})

test('unpacks what it asked for packed', async () => {
  assert.deepEqual(await runTool(http, { url: `${base}/gzip` }), {
    ok: true,
    output: { body: 'unpacked', status_code: 200 },
  })
  assert.deepEqual(await runTool(http, { url: `${base}/gzip`, headers: { 'Accept-Encoding': 'identity' } }), {
    ok: true,
    output: { body: 'plain', status_code: 200 },
  })
  assert.deepEqual(await runTool(http, { url: `${base}/gzip`, method: 'HEAD' }), {
    ok: true,
    output: { body: '', status_code: 200 },
  })
})

test('says why it failed', async () => {
  const closed = createTcpServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  await once(closed, 'close')
  assert.equal(
    await failure({ url: `http://127.0.0.1:${port}` }),
    `http request failed: Get "http://127.0.0.1:${port}": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  )
  assert.match(
    await failure({ url: `HTTP://me:secret@localhost:${port}/x`, method: 'post' }),
    new RegExp(
      `^http request failed: Post "http://me:\\*\\*\\*@localhost:${port}/x": dial tcp (127\\.0\\.0\\.1|\\[::1\\]):${port}: connect: connection refused$`,
    ),
  )
  assert.match(
    await failure({ url: 'http://no-such.invalid/' }),
    /^http request failed: Get "http:\/\/no-such\.invalid\/": dial tcp: lookup no-such\.invalid: \S/,
  )
  assert.equal(await failure({ url: `${base}/close` }), `http request failed: Get "${base}/close": EOF`)
  assert.equal(await failure({ url: `${base}/short` }), 'read response: unexpected EOF')
  const secure = base.replace('http:', 'https:')
  assert.equal(
    await failure({ url: secure }),
    `http request failed: Get "${secure}": http: server gave HTTP response to HTTPS client`,
  )
})

test('refuses what it cannot ask', async () => {
  assert.equal(await failure({}), 'url is required')
  assert.equal(
    await failure({ url: 'http://x', method: 'BAD METHOD' }),
    'create request: net/http: invalid method "BAD METHOD"',
  )
  assert.equal(
    await failure({ url: 'http://a b/' }),
    'create request: parse "http://a b/": invalid character " " in host name',
  )
  assert.equal(await failure({ url: 'x' }), 'http request failed: Get "x": unsupported protocol scheme ""')
  assert.equal(
    await failure({ url: base, headers: { 'bad name': 'x' } }),
    `http request failed: Get "${base}": net/http: invalid header field name "bad name"`,
  )
  assert.equal(
    await failure({ url: base, headers: { A: 'x\ny' } }),
    `http request failed: Get "${base}": net/http: invalid header field value for "A"`,
  )
  assert.equal(
    await failure({ url: base, headers: { A: 1 } }),
    'parse http params: json: cannot unmarshal number into Go struct field HTTPParams.headers of type string',
  )
})

test('an abort ends it, before the answer and in the middle of it', async () => {
  const connected = once(server, 'request')
  const waiting = attemptOf()
  const hung = runTool(http, { url: `${base}/hang` }, waiting)
  await connected
  waiting.abort(5000, 'context deadline exceeded')
  assert.equal(messageOf(await hung), `http request failed: Get "${base}/hang": context deadline exceeded`)
  const early = attemptOf()
  early.abort(5000, 'context canceled')
  assert.equal(
    messageOf(await runTool(http, { url: base }, early)),
    `http request failed: Get "${base}": context canceled`,
  )
  const reading = attemptOf({ settings: { httpBodyLimitBytes: Number.MAX_SAFE_INTEGER } })
  const asked = once(server, 'request')
  const flooded = runTool(http, { url: `${base}/flood` }, reading)
  const [, response] = await asked
  await once(response, 'drain')
  reading.abort(5000, 'context deadline exceeded')
  assert.match(messageOf(await flooded), /context deadline exceeded$/)
  await eventually(() => sockets.size === 0)
})

test('knows what is wrong with an address', () => {
  const reasonOf = (text: string): string => {
    const parsed = parseUrl(text)
    return parsed.ok ? 'fine' : `${parsed.kind}: ${parsed.reason}`
  }
  const cases = {
    'http://x:abc/': 'malformed: invalid port ":abc" after host',
    ':': 'malformed: missing protocol scheme',
    'http://%zz/': 'malformed: invalid URL escape "%zz"',
    'http://x/%z': 'malformed: invalid URL escape "%z"',
    'http://x/\x01': 'malformed: net/url: invalid control character in URL',
    ' http://x': 'malformed: first path segment in URL cannot contain colon',
    '127.0.0.1:80/x': 'malformed: first path segment in URL cannot contain colon',
    'http://[::1/': "malformed: missing ']' in host",
    'localhost:8080': 'unusable: unsupported protocol scheme "localhost"',
    'http:': 'unusable: http: no Host in request URL',
    'http:///x': 'unusable: http: no Host in request URL',
    'http://x:99999/': 'unusable: dial tcp: address 99999: invalid port',
    'http://[::1]:80/x?y=%zz#z': 'fine',
    'HTTPS://me:pw@x': 'fine',
  }
  for (const [text, reason] of Object.entries(cases)) assert.equal(reasonOf(text), reason, text)
  assert.equal(shownUrl('http://a:b@c/d@e:f'), 'http://a:***@c/d@e:f')
})
