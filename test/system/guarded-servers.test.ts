/** TLS, the limit on requests and the audit log, over both servers of the real daemon. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  ChannelCredentials,
  type Client,
  Metadata,
  type ServiceError,
  loadPackageDefinition,
  status as grpcStatus,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { addToken } from '../../src/api/guard/add-token.ts'
import { certificateIn } from '../support/certificate.ts'
import { root, spawnDaemon, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { type RawAnswer, answerOn, answerTo } from '../support/raw-answers.ts'
import { tempDir } from '../support/temp-dir.ts'

type Call = (
  message: object,
  metadata: Metadata,
  done: (error: ServiceError | null, answer: any) => void,
) => void

const grpcClient = (address: string, credentials = ChannelCredentials.createInsecure()) => {
  const proto = fileURLToPath(new URL('../../proto/execgo/v1/execgo.proto', import.meta.url))
  const loaded = loadPackageDefinition(loadSync(proto, { keepCase: true })) as any
  const client = new loaded.execgo.v1.ExecGo(address, credentials) as Client & Record<string, Call>
  /** The answer, or the error. */
  const call = (name: string, message: object = {}, token = ''): Promise<any> =>
    new Promise((resolve) => {
      const metadata = new Metadata()
      if (token !== '') metadata.set('authorization', `Bearer ${token}`)
      client[name]!(message, metadata, (error, answer) => resolve(error ?? answer))
    })
  return { call, close: () => client.close() }
}

const TASK = { tasks: [{ id: 'a', type: 'noop' }] }

test('TLS: HTTP/1.1, HTTP/2 and gRPC', async (t) => {
  const { cert, key } = certificateIn(await tempDir(t))
  const ca = await readFile(cert)
  const daemon = await startDaemon({ env: { EXECGO_TLS_CERT: cert, EXECGO_TLS_KEY: key } })
  const authority = daemon.url.replace('http://', 'https://')
  const asked = httpsRequest(`${authority}/tasks`, { method: 'POST', ca }).end(JSON.stringify(TASK))
  assert.equal((await answerTo(asked)).status, 202)
  const session = connectHttp2(authority, { ca })
  const ask = (headers: Record<string, string>): Promise<RawAnswer> => answerOn(session.request(headers))
  const found = await ask({ ':path': '/tasks/a' })
  assert.equal(found.status, 200)
  assert.equal(JSON.parse(found.text).id, 'a')
  assert.equal((await ask({ ':path': '/tasks', ':authority': 'evil.example' })).status, 403)
  assert.equal((await ask({ ':path': '/tasks', origin: 'https://evil.example' })).status, 403)
  const grpc = grpcClient(daemon.grpcAddress, ChannelCredentials.createSsl(ca))
  assert.equal((await grpc.call('GetTask', { id: 'a' })).task.id, 'a')
  grpc.close()
  const clear = grpcClient(daemon.grpcAddress)
  assert.equal((await clear.call('GetTask', { id: 'a' })).code, grpcStatus.UNAVAILABLE)
  clear.close()
  // An open connection does not hold up the stop.
  assert.equal(await daemon.stop(), 0)
  session.destroy()
})

test('a certificate that cannot be used refuses the start, with the reason', async (t) => {
  const { cert, key } = certificateIn(await tempDir(t))
  for (const [env, expected] of [
    [{ EXECGO_TLS_CERT: cert }, /^execgo: EXECGO_TLS_KEY: TLS needs both/],
    [{ EXECGO_TLS_CERT: key, EXECGO_TLS_KEY: key }, /^execgo: EXECGO_TLS_CERT: cannot use /],
    [{ EXECGO_TLS_CERT: cert, EXECGO_TLS_KEY: cert }, /^execgo: EXECGO_TLS_KEY: cannot use /],
  ] as [Record<string, string>, RegExp][]) {
    const daemon = await spawnDaemon({ env })
    assert.equal(await daemon.exited, 1)
    assert.match(daemon.stderr, expected)
    await daemon.stop()
  }
})

test('tokens over gRPC, and what the audit log says of it all', async (t) => {
  const folder = await tempDir(t)
  const [file, log] = [join(folder, 'auth.json'), join(folder, 'audit.log')]
  const [reader, submitter] = [addToken(file, 'reader', ['read']), addToken(file, 'submitter', ['submit'])]
  const daemon = await startDaemon({ env: { EXECGO_AUTH_FILE: file, EXECGO_AUDIT_LOG: log } })
  const { call, close } = grpcClient(daemon.grpcAddress)
  assert.equal((await call('Health')).status, 'ok')
  assert.equal((await call('ListTasks')).code, grpcStatus.UNAUTHENTICATED)
  assert.equal((await call('ListTasks', {}, 'wrong')).code, grpcStatus.UNAUTHENTICATED)
  assert.deepEqual((await call('ListTasks', {}, reader)).tasks ?? [], [])
  const refused = await call('SubmitTasks', TASK, reader)
  assert.equal(refused.code, grpcStatus.PERMISSION_DENIED)
  assert.equal(refused.details, 'token "reader" lacks the scope submit')
  assert.deepEqual((await call('SubmitTasks', TASK, submitter)).task_ids, ['a'])
  assert.equal((await call('DeleteTask', { id: 'a' }, submitter)).code, grpcStatus.PERMISSION_DENIED)
  close()
  const headers = { authorization: `Bearer ${submitter}` }
  await daemon.request('POST', '/tasks', { tasks: [{ id: 'b', type: 'noop' }] }, headers)
  await daemon.request('DELETE', '/tasks/b', undefined, headers)
  await daemon.request('GET', '/tasks')
  let lines: any[] = []
  await eventually('all lines in the audit log', async () => {
    lines = (await readFile(log, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
    return lines.length >= 8
  })
  assert.deepEqual(
    lines.map(({ who, what, status, count }) => [who, what.replace('/execgo.v1.ExecGo/', ''), status, count]),
    [
      ['127.0.0.1', 'ListTasks', grpcStatus.UNAUTHENTICATED, undefined],
      ['127.0.0.1', 'ListTasks', grpcStatus.UNAUTHENTICATED, undefined],
      ['reader', 'SubmitTasks', grpcStatus.PERMISSION_DENIED, undefined],
      ['submitter', 'SubmitTasks', 0, 1],
      ['submitter', 'DeleteTask', grpcStatus.PERMISSION_DENIED, undefined],
      ['submitter', 'POST /tasks', 202, 1],
      ['submitter', 'DELETE /tasks/b', 403, undefined],
      ['127.0.0.1', 'GET /tasks', 401, undefined],
    ],
  )
  assert.deepEqual([lines[3].ids, lines[3].from, lines[5].ids], [['a'], '127.0.0.1', ['b']])
  assert.ok(lines.every(({ at }) => !Number.isNaN(Date.parse(at))))
  assert.equal((await stat(log)).mode & 0o777, 0o600)
  await daemon.stop()
})

test('who asks too often is told when to come again, over both servers', async () => {
  const daemon = await startDaemon({ env: { EXECGO_RATE_LIMIT: '5' } })
  const answers = await Promise.all(Array.from({ length: 20 }, () => daemon.request('GET', '/tasks')))
  const limited = answers.filter(({ status }) => status === 429)
  assert.ok(limited.length >= 5, `${limited.length} of 20`)
  assert.ok(answers.some(({ status }) => status === 200))
  assert.match(limited[0]!.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  assert.equal((await daemon.request('GET', '/health')).status, 200)
  const { call, close } = grpcClient(daemon.grpcAddress)
  const called = await Promise.all(Array.from({ length: 20 }, () => call('Metrics')))
  assert.ok(called.some(({ code }) => code === grpcStatus.RESOURCE_EXHAUSTED))
  close()
  await daemon.stop()
})

/** In a network of its own, in which this machine has a public address and is asked what names mean. */
const IN_OWN_NETWORK = [
  '-rnm',
  'sh',
  '-c',
  'ip link set lo up && ip addr add 93.184.216.34/32 dev lo && (ip addr add 2606:2800:220:1::1/128 dev lo || true) && mount --bind "$0" /etc/resolv.conf && exec "$@"',
]

const unshared = (folder: string, ...command: string[]): string | null => {
  const resolv = join(folder, 'resolv.conf')
  writeFileSync(resolv, 'nameserver 127.0.0.1\n')
  try {
    return execFileSync('unshare', [...IN_OWN_NETWORK, resolv, ...command], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    if (command[0] === 'true') return null
    throw error
  }
}

test('with EXECGO_NET_POLICY=public, no address, redirect or name leads to this machine', async (t) => {
  const folder = await tempDir(t)
  // Public addresses and a name server that lies need a network of one's own; the names are looked up for real in it.
  if (unshared(folder, 'true') === null) return t.skip('this user may not make a network')
  const script = join(root, 'test/support/own-network.ts')
  const { told, turning, inside } = JSON.parse(unshared(folder, process.execPath, '--import', 'tsx', script)!)
  const REACHED = ['http://93.184.216.34/', 'http public.example', 'tcp public.example']
  // Of two addresses, the public one is taken.
  REACHED.push('http both.example', 'tcp both.example')
  for (const [what, result] of Object.entries<string>(told)) {
    if (REACHED.includes(what)) assert.equal(result, 'reached', what)
    // Without IPv6 nobody looks for what has no other address.
    else assert.match(result, /^denied: .* is not a public address|(mapped|nat64).*: no such host$/, what)
  }
  assert.ok(turning.reached > 0 && turning.reached < turning.turns, JSON.stringify(turning))
  assert.equal(inside, 0)
})
