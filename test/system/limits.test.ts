/** Bounds on what is accepted: at the bound, and one past it. @see contract B4 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect as netConnect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ServiceError, status } from '@grpc/grpc-js'
import { fetch } from '../support/checked-fetch.ts'
import { startDaemon } from '../support/daemon.ts'
import { OldClient, call, connect } from '../support/grpc-transcript.ts'
import { expectRaw } from '../support/raw-answers.ts'

const noop = (id: string, more: object = {}): object => ({ id, type: 'noop', ...more })

test('as many tasks as may be unfinished are accepted, and no more until some are over', async (t) => {
  const daemon = await startDaemon({ env: { EXECGO_MAX_UNFINISHED_TASKS: '3' } })
  t.after(() => daemon.stop())
  const sleeper = (id: string): object => ({ id, type: 'sleep', params: { duration_ms: 600_000 } })
  await daemon.submit([sleeper('a'), noop('b', { depends_on: ['a'] }), noop('c', { depends_on: ['a'] })])
  const answer = await fetch(`${daemon.url}/tasks`, {
    method: 'POST',
    body: JSON.stringify({ tasks: [noop('d')] }),
  })
  assert.equal(answer.status, 429)
  assert.equal(answer.headers.get('retry-after'), '1')
  assert.deepEqual(await answer.json(), {
    error: '3 tasks are not over, and 1 more would be over the limit of 3: try again when some have ended',
  })
  assert.equal((await daemon.request('GET', '/tasks/d')).status, 404)
  assert.equal((await daemon.request('GET', '/tasks')).body.length, 3, 'reads go on')
  assert.equal((await daemon.request('POST', '/tasks/a/cancel')).status, 202)
  for (const id of ['a', 'b', 'c']) await daemon.settled(id)
  await daemon.submit([noop('d'), noop('e'), noop('f')])
  for (const id of ['d', 'e', 'f']) assert.equal((await daemon.settled(id)).status, 'success')
})

test('a graph, an id and a list of dependencies may be as large as they may be, and no larger', async (t) => {
  const daemon = await startDaemon({
    env: { EXECGO_MAX_TASKS_PER_GRAPH: '3', EXECGO_MAX_ID_BYTES: '4', EXECGO_MAX_DEPENDENCIES: '2' },
  })
  t.after(() => daemon.stop())
  const refused = async (tasks: object[], message: string): Promise<void> => {
    const { status, body } = await daemon.request('POST', '/tasks', { tasks })
    assert.deepEqual([status, body], [400, { error: message }])
  }
  await daemon.submit([noop('a中'), noop('b'), noop('c', { depends_on: ['a中', 'b'] })])
  await refused(
    ['a', 'b', 'c', 'd'].map((id) => noop(id)),
    'task graph has 4 tasks: at most 3 are allowed',
  )
  await refused([noop('aa中')], 'task "aa中…": id is 5 bytes: at most 4 are allowed')
  await refused(
    [noop('a'), noop('b'), noop('c', { depends_on: ['a', 'b', 'a'] })],
    'task "c": depends_on names 3 tasks: at most 2 are allowed',
  )
})

const failsWith = (code: number, words: RegExp) => (error: { code: number; details: string }) => {
  assert.equal(error.code, code)
  assert.match(error.details, words)
  return true
}

/** `{"n":[[…]]}`: params, `levels` deep. */
const paramsOf = (levels: number): string => `{"n":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`

test('over gRPC the limits are the same', async (t) => {
  const daemon = await startDaemon({
    env: { EXECGO_MAX_UNFINISHED_TASKS: '2', EXECGO_MAX_TASKS_PER_GRAPH: '2', EXECGO_MAX_JSON_DEPTH: '6' },
  })
  const client = connect(OldClient, daemon.grpcAddress)
  t.after(async () => {
    client.close()
    await daemon.stop()
  })
  const sleeper = { id: 's', type: 'sleep', params_json: '{"duration_ms":600000}' }
  await call(client, 'SubmitTasks', { tasks: [sleeper, noop('t', { depends_on: ['s'] })] })
  await assert.rejects(call(client, 'SubmitTasks', { tasks: [noop('u')] }), (error: ServiceError) => {
    assert.deepEqual(error.metadata.get('retry-after'), ['1'])
    return failsWith(status.RESOURCE_EXHAUSTED, /^2 tasks are not over, and 1 more would be over the/)(error)
  })
  assert.equal((await call(client, 'ListTasks', {})).message.tasks.length, 2, 'reads go on')
  await daemon.request('POST', '/tasks/s/cancel')
  await daemon.settled('t')
  await assert.rejects(
    call(client, 'SubmitTasks', { tasks: [noop('a'), noop('b'), noop('c')] }),
    failsWith(status.INVALID_ARGUMENT, /^task graph has 3 tasks: at most 2 are allowed$/),
  )
  await call(client, 'SubmitTasks', { tasks: [noop('d', { params_json: paramsOf(3) })] })
  await assert.rejects(
    call(client, 'SubmitTasks', { tasks: [noop('e', { params_json: paramsOf(4) })] }),
    failsWith(
      status.INVALID_ARGUMENT,
      /^invalid JSON: tasks\[0\]\.params_json: nested more than 3 levels deep$/,
    ),
  )
})

test('a body may be as large and as deep as it may be, and no more', async (t) => {
  const daemon = await startDaemon({ env: { EXECGO_MAX_BODY_BYTES: '4096' } })
  t.after(() => daemon.stop())
  const body = (bytes: number, id: string): string => {
    const empty = JSON.stringify({ tasks: [noop(id, { params: { message: '' } })] })
    return empty.replace('"message":""', `"message":"${'m'.repeat(bytes - empty.length)}"`)
  }
  assert.equal((await daemon.request('POST', '/tasks', body(4096, 'a'))).status, 202)
  const large = await daemon.request('POST', '/tasks', body(4097, 'b'))
  assert.equal(large.status, 413)
  assert.match(large.body.error, /^request body is larger than 4096 bytes/)
  const deep = (levels: number): string =>
    `{"tasks":[{"id":"d","type":"noop","params":${paramsOf(levels - 3)}}]}`
  assert.equal((await daemon.request('POST', '/tasks', deep(64))).status, 202)
  const deeper = await daemon.request('POST', '/tasks', deep(65))
  assert.equal(deeper.status, 400)
  assert.deepEqual(deeper.body, { error: 'invalid JSON: nested more than 64 levels deep' })
  assert.equal((await daemon.settled('d')).status, 'success')
})

test('what a tool brings is bounded by the settings', async (t) => {
  const pages = createServer((request, response) => response.end('p'.repeat(Number(request.url!.slice(1)))))
  pages.listen(0, '127.0.0.1')
  await once(pages, 'listening')
  const { port } = pages.address() as AddressInfo
  const daemon = await startDaemon({
    env: {
      EXECGO_MAX_OUTPUT_BYTES: '10',
      EXECGO_MAX_FILE_BYTES: '20',
      EXECGO_MAX_HTTP_BODY_BYTES: '30',
      EXECGO_SHELL_POLICY: 'open',
    },
  })
  t.after(async () => {
    pages.close()
    await daemon.stop()
  })
  const file = (bytes: number): string => join(daemon.dataDir, `${bytes}.txt`)
  for (const bytes of [20, 21]) await writeFile(file(bytes), 'f'.repeat(bytes))
  const printing = (text: string): object => ({ script: `printf ${text}; printf ${text} >&2` })
  await daemon.submit([
    { id: 'out', type: 'shell', params: printing('0123456789') },
    { id: 'out+1', type: 'shell', params: printing('0123456789x') },
    { id: 'file', type: 'file', params: { action: 'read', path: file(20) } },
    { id: 'file+1', type: 'file', params: { action: 'read', path: file(21) } },
    { id: 'http', type: 'http', params: { url: `http://127.0.0.1:${port}/30` } },
    { id: 'http+1', type: 'http', params: { url: `http://127.0.0.1:${port}/31` } },
  ])
  const out = await daemon.settled('out')
  assert.deepEqual(
    [out.result.stdout, out.result.stderr, out.runtime.details],
    ['0123456789', '0123456789', null],
  )
  const cut = await daemon.settled('out+1')
  assert.deepEqual([cut.result.stdout, cut.result.stderr], ['012346789x', '012346789x'])
  assert.deepEqual(cut.runtime.details, { stdout_truncated_bytes: 1, stderr_truncated_bytes: 1 })
  assert.equal((await daemon.settled('file')).result.size, 20)
  assert.equal((await daemon.settled('file+1')).error, 'read file: file too large (21 bytes, limit 20)')
  assert.equal((await daemon.settled('http')).result.body.length, 30)
  assert.equal((await daemon.settled('http+1')).result.body.length, 30)
})

/** Sends a request by one byte a second from its `from`th on; resolves to what came back, and after how long. */
const sendSlowly = async (url: string, text: string, from: number): Promise<[string, number]> => {
  const startedMs = performance.now()
  const socket = netConnect(Number(new URL(url).port), '127.0.0.1')
  // The daemon may have closed it when the next byte is sent.
  socket.on('error', () => {})
  socket.write(text.slice(0, from))
  let at = from
  const timer = setInterval(() => socket.write(text[at++] ?? ''), 1000)
  let answer = ''
  socket.setEncoding('utf8').on('data', (piece) => (answer += piece))
  await once(socket, 'close')
  clearInterval(timer)
  const [method = '', path = ''] = text.split(' ')
  expectRaw(method, path, answer)
  return [answer, performance.now() - startedMs]
}

test('who sends one byte a second is cut off by 408; who sends in time is answered', async (t) => {
  const daemon = await startDaemon({ env: { EXECGO_HEADER_TIMEOUT: '2s', EXECGO_BODY_TIMEOUT: '2s' } })
  t.after(() => daemon.stop())
  const body = JSON.stringify({ tasks: [noop('slow')] })
  const head = `POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n`
  const request = `${head}\r\n${body}`
  const answers = await Promise.all([
    sendSlowly(daemon.url, request, 0),
    sendSlowly(daemon.url, request, head.length),
    sendSlowly(daemon.url, request, request.length - body.length),
  ])
  for (const [answer, tookMs] of answers) {
    assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/)
    assert.match(answer, /\{"error":"the request came too slowly"\}$/)
    assert.ok(tookMs < 30_000, `${tookMs}`)
  }
  assert.equal((await daemon.request('GET', '/tasks/slow')).status, 404)
  const quick = `${head}Connection: close\r\n\r\n${body}`
  assert.match((await sendSlowly(daemon.url, quick, quick.length - 1))[0], /^HTTP\/1\.1 202 /)
  // Who is being answered is cut off without another answer within the first.
  const watch = 'GET /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n'
  const [watched] = await sendSlowly(daemon.url, watch, watch.length)
  assert.match(watched, /^HTTP\/1\.1 200 /)
  assert.doesNotMatch(watched, /408/)
})
