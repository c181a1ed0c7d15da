import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ClientDuplexStream, type ClientReadableStream, status } from '@grpc/grpc-js'
import { protoPath as healthProto } from 'grpc-health-check'
import { GrpcServer } from '../../../../src/api/grpc/server.ts'
import { startEdge } from '../../../support/service-rig.ts'
import {
  type Client,
  type Message,
  OldClient,
  call,
  connect,
  serviceIn,
} from '../../../support/grpc-transcript.ts'

const reflectionDir = join(
  dirname(createRequire(import.meta.url).resolve('@grpc/reflection')),
  '../proto/grpc/reflection',
)

const open = (t: TestContext, file: string, name: string, address: string): Client => {
  const client = connect(serviceIn(file, name), address)
  t.after(() => client.close())
  return client
}

test('health checks: SERVING, then NOT_SERVING once a stop is announced', async (t) => {
  const { grpc, grpcAddress } = await startEdge(t)
  const client = open(t, healthProto, 'grpc.health.v1.Health', grpcAddress)
  const check = async (service: string): Promise<string> =>
    (await call(client, 'Check', { service })).message.status

  const watch = (client as Message).Watch({ service: '' }) as ClientReadableStream<Message>
  const watched: string[] = []
  watch.on('data', (message: Message) => watched.push(message.status)).on('error', () => {})
  await once(watch, 'data')

  assert.equal(await check(''), 'SERVING')
  assert.equal(await check('execgo.v1.ExecGo'), 'SERVING')
  await assert.rejects(check('execgo.v2.ExecGo'), { code: status.NOT_FOUND })
  grpc.announceStop()
  assert.equal(await check(''), 'NOT_SERVING')
  assert.equal(await check('execgo.v1.ExecGo'), 'NOT_SERVING')
  assert.deepEqual(watched, ['SERVING', 'NOT_SERVING'])
})

for (const version of ['v1', 'v1alpha']) {
  test(`reflection ${version} lists the services and gives our fields`, async (t) => {
    const { grpcAddress } = await startEdge(t)
    const file = join(reflectionDir, version, 'reflection.proto')
    const client = open(t, file, `grpc.reflection.${version}.ServerReflection`, grpcAddress)
    const stream = (client as Message).ServerReflectionInfo() as ClientDuplexStream<Message, Message>
    const ask = async (request: object): Promise<Message> => {
      const answered = once(stream, 'data')
      stream.write(request)
      return (await answered)[0]
    }
    const listed = (await ask({ list_services: '*' })).list_services_response.service
    assert.deepEqual(listed.map((service: Message) => service.name).sort(), [
      'execgo.v1.ExecGo',
      'grpc.health.v1.Health',
    ])
    const found = await ask({ file_containing_symbol: 'execgo.v1.Task' })
    const bytes: Buffer = found.file_descriptor_response.file_descriptor_proto[0]
    assert.ok(bytes.includes('execution_category'))
    stream.end()
  })
}

test('a message beyond the limit is refused, and the next one is answered', async (t) => {
  const { grpcAddress } = await startEdge(t, { bodyBytes: 1024 })
  const client = connect(OldClient, grpcAddress)
  t.after(() => client.close())
  const tasks = [{ id: 'a', type: 'noop', params_json: `{"x":"${'x'.repeat(100 * 1024)}"}` }]
  await assert.rejects(call(client, 'SubmitTasks', { tasks }), { code: status.RESOURCE_EXHAUSTED })
  assert.deepEqual((await call(client, 'ListTasks', {})).message.tasks, [])
})

test('a taken port rejects with one reason that names the address, and prints nothing', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const printed = t.mock.method(console, 'error', () => {})
  const { service } = await startEdge(t)
  const server = new GrpcServer({ service, address: { host: '127.0.0.1', port }, onFault: () => {} })
  await assert.rejects(server.start(), {
    message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
  })
  assert.equal(printed.mock.callCount(), 0)
  await server.stop()
})

test('no host is every interface', async (t) => {
  const { service } = await startEdge(t)
  const server = new GrpcServer({ service, address: { host: '', port: 0 }, onFault: () => {} })
  t.after(() => server.stop(100))
  const address = await server.start()
  assert.match(address, /^(\[::\]|0\.0\.0\.0):[1-9]\d*$/)
  const client = connect(OldClient, `127.0.0.1:${address.slice(address.lastIndexOf(':') + 1)}`)
  t.after(() => client.close())
  assert.equal((await call(client, 'Health', {})).message.status, 'ok')
})

test('stop lets a call under way end, refuses new ones, and may be called twice or before a start', async (t) => {
  const { service, grpc, grpcAddress } = await startEdge(t)
  const client = connect(OldClient, grpcAddress)
  t.after(() => client.close())
  let release = (): void => {}
  const entered = new Promise<void>((resolve) => {
    t.mock.method(service, 'get', () => {
      resolve()
      return new Promise((answer) => {
        release = () => answer({ ok: true, value: '{"id":"slow"}' })
      })
    })
  })
  const slow = call(client, 'GetTask', { id: 'slow' })
  await entered
  const stopped = grpc.stop(10_000)
  release()
  assert.equal((await slow).message.task.id, 'slow')
  await Promise.all([stopped, grpc.stop()])
  await assert.rejects(call(client, 'Health', {}), { code: status.UNAVAILABLE })

  const never = new GrpcServer({ service, address: { host: '127.0.0.1', port: 0 }, onFault: () => {} })
  await never.stop()
})

test('stop ends what does not end by itself', { timeout: 20_000 }, async (t) => {
  const { service, grpc, grpcAddress } = await startEdge(t)
  const client = connect(OldClient, grpcAddress)
  t.after(() => client.close())
  const entered = new Promise<void>((resolve) => {
    t.mock.method(service, 'get', () => {
      resolve()
      return new Promise(() => {})
    })
  })
  const endless = assert.rejects(
    call(client, 'GetTask', { id: 'x' }),
    (error: Message) => error.code !== status.DEADLINE_EXCEEDED,
  )
  await entered
  await grpc.stop(50)
  await endless
})
