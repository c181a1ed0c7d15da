/** What somebody may send to break the daemon: each is refused or taken, never a 5xx, and it goes on answering. */
import assert from 'node:assert/strict'
import { execSync } from 'node:child_process'
import { once } from 'node:events'
import { type Socket, connect as netConnect } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { type Answer, root, startDaemon } from '../support/daemon.ts'
import { OldClient, call, connect, serviceIn } from '../support/grpc-transcript.ts'
import { expectRaw } from '../support/raw-answers.ts'

const daemon = await startDaemon()
const client = connect(OldClient, daemon.grpcAddress)
after(async () => {
  client.close()
  assert.equal(await daemon.stop(), 0)
})

const post = (body: string): Promise<Answer> => daemon.request('POST', '/tasks', body)
const isWell = async (): Promise<void> => assert.equal((await daemon.request('GET', '/health')).status, 200)

const LEVELS = 100_000

test('JSON 100,000 deep is refused wherever it stands', async () => {
  const deep = '['.repeat(LEVELS) + ']'.repeat(LEVELS)
  const objects = `${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`
  const open = '['.repeat(LEVELS)
  for (const value of [deep, objects]) {
    for (const body of [
      value,
      `{"unknown":${value}}`,
      `{"tasks":${value}}`,
      `{"tasks":[{"id":"d","type":"noop","params":{"v":${value}}}]}`,
      `{"tasks":[{"id":"d","type":"noop","annotations":${value}}]}`,
    ]) {
      const answer = await post(body)
      assert.deepEqual(
        [answer.status, answer.body.error],
        [400, 'invalid JSON: nested more than 64 levels deep'],
      )
    }
    const called = await daemon.request('POST', '/mcp/call', `{"input":{"v":${value}}}`)
    assert.equal(called.status, 400)
    const cancelled = await daemon.request('POST', '/tasks/x/cancel', value)
    assert.equal(cancelled.status, 400)
    const tasks = [{ id: 'd', type: 'noop', params_json: `{"v":${value}}` }]
    await assert.rejects(call(client, 'SubmitTasks', { tasks }), { code: status.INVALID_ARGUMENT })
  }
  assert.deepEqual((await post(open)).body, { error: 'invalid JSON: unexpected EOF' })
  await isWell()
})

test('keys and ids that objects have by birth are names like others', async () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']
  const object = `{${names.map((name) => `"${name}":"x"`).join(',')}}`
  for (const name of names) {
    const answer = await post(
      `{"__proto__":{"tasks":[]},"constructor":1,"tasks":[{"id":"${name}","type":"noop","__proto__":{"id":"y"},"constructor":null,"params":${object},"annotations":${object}}]}`,
    )
    assert.deepEqual([answer.status, answer.body.task_ids], [202, [name]])
    const task = await daemon.settled(name)
    assert.equal(task.status, 'success')
    for (const part of [task.params, task.annotations]) assert.equal(JSON.stringify(part), object)
    assert.equal((await daemon.request('GET', `/tasks?prefix=${name}`)).body.length, 1)
    assert.equal((await daemon.request('GET', `/tasks?status=${name}`)).status, 400)
    for (const path of [`/graphs/${name}`, `/mcp/tasks/${name}`, `/${name}`])
      assert.equal((await daemon.request('GET', path)).status, 404)
    assert.equal((await post(`{"tasks":[{"id":"u","type":"${name}"}]}`)).status, 400)
    assert.equal((await post(`{"on_conflict":"${name}","tasks":[]}`)).status, 400)
  }
  assert.equal((await post('{"__proto__":{"tasks":[{"id":"p","type":"noop"}]}}')).status, 400)
  assert.equal((await daemon.request('GET', '/tasks/p')).status, 404)
  await isWell()
})

test('50 MB of numbers are too many; what just fits is taken or refused in good time', async () => {
  const listOf = (item: string, bytes: number): string =>
    `[${`${item},`.repeat(bytes / (item.length + 1))}${item}]`
  assert.equal(
    (await post(`{"tasks":[{"id":"n","type":"noop","params":{"n":${listOf('1', 5e7)}}}]}`)).status,
    413,
  )
  const fits = 3e7
  for (const [body, expected] of [
    [`{"tasks":[{"id":"null","type":"noop","params":{"n":[null,${listOf('1', fits).slice(1)}}}]}`, 202],
    // V8 takes a microsecond for each of them.
    [`{"tasks":${listOf('{}', fits / 5)}}`, 400],
    [`{"tasks":${listOf('1', fits)}}`, 400],
    [`{"tasks":[{"id":"d","type":"noop","depends_on":${listOf('""', fits)}}]}`, 400],
    [listOf('1', fits), 400],
    [`{"tasks":[{"id":"big","type":"noop","params":{"n":${'9'.repeat(fits)}}}]}`, 400],
  ] as const) {
    const answer = await post(body)
    assert.equal(answer.status, expected, `${body.slice(0, 60)}: ${JSON.stringify(answer.body)}`)
    await isWell()
  }
  assert.equal((await daemon.request('DELETE', '/tasks/null')).status, 204)
})

test('a gRPC message over the limit is refused, fields that nobody knows are passed over', async () => {
  const tasks = [{ id: 'm', type: 'noop', params_json: JSON.stringify({ m: 'm'.repeat(40e6) }) }]
  await assert.rejects(call(client, 'SubmitTasks', { tasks }), { code: status.RESOURCE_EXHAUSTED })
  // To the server this is a GetTaskRequest with all fields of a ListTasksRequest, and field 1 missing.
  const wide = connect(
    serviceIn(join(root, 'proto/execgo/v1/execgo.proto'), 'execgo.v1.ExecGo'),
    daemon.grpcAddress,
  )
  try {
    const send = wide.makeUnaryRequest.bind(wide)
    const bytes = Buffer.concat([
      // Field 1: an id; fields 2047 and 3000: bytes and a number.
      Buffer.from([0x0a, 0x01, 0x71]),
      Buffer.from([0xfa, 0x7f, 0x02, 0xff, 0xfe]),
      Buffer.from([0xc0, 0xbb, 0x01, 0x2a]),
    ])
    const answered = await new Promise<{ code: number; details: string } | null>((resolve) =>
      send(
        '/execgo.v1.ExecGo/GetTask',
        (value: Buffer) => value,
        (value: Buffer) => value,
        bytes,
        (error) => resolve(error),
      ),
    )
    assert.deepEqual([answered?.code, answered?.details], [status.NOT_FOUND, 'task not found: q'])
    const garbage = await new Promise<{ code: number } | null>((resolve) =>
      send(
        '/execgo.v1.ExecGo/GetTask',
        (value: Buffer) => value,
        (value: Buffer) => value,
        Buffer.from([0x0a, 0x7f, 0x01]),
        (error) => resolve(error),
      ),
    )
    assert.notEqual(garbage, null)
  } finally {
    wide.close()
  }
  assert.equal((await call(client, 'Health', {})).message.status, 'ok')
  await isWell()
})

test('ten thousand open connections do not keep others out', { timeout: 120_000 }, async (t) => {
  // As many as this process may open, where that is less.
  const wanted = Math.min(
    10_000,
    Number(execSync('ulimit -n', { shell: '/bin/sh' }).toString()) - 1000 || 10_000,
  )
  if (wanted < 100) return t.skip('too few descriptors')
  const port = Number(new URL(daemon.url).port)
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  while (sockets.length < wanted) {
    const some = Array.from({ length: Math.min(200, wanted - sockets.length) }, () =>
      netConnect(port, '127.0.0.1'),
    )
    for (const socket of some) socket.on('error', () => {})
    await Promise.all(some.map((socket) => once(socket, 'connect')))
    // Half of them have begun to say something.
    some.forEach((socket, at) => void (at % 2 === 0 && socket.write('GET /health HTTP/1.1\r\nHost: ')))
    sockets.push(...some)
  }
  await isWell()
  await daemon.submit([{ id: 'among-many', type: 'noop' }])
  assert.equal((await daemon.settled('among-many')).status, 'success')
  assert.equal((await call(client, 'Health', {})).message.status, 'ok')
  for (const socket of sockets) socket.destroy()
  await isWell()
})

test('a path or a host that makes no URL is refused in JSON', async () => {
  for (const [path, host, reason] of [
    ['/tasks/a\\b', 'localhost', 'Backslash in request path'],
    ['/health', 'a b', 'Invalid URL'],
    ['http://[/', 'localhost', 'Invalid absolute URL'],
  ]) {
    const socket = netConnect(Number(new URL(daemon.url).port), '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    let answer = ''
    socket.setEncoding('utf8').on('data', (piece) => (answer += piece))
    await once(socket, 'close')
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
    expectRaw('', '', answer)
    assert.ok(answer.includes(`{"error":"malformed HTTP request: ${reason}"}`), answer)
  }
})
