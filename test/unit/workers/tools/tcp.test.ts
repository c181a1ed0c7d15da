import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { splitHostPort } from '../../../../workers/tools/host-port.ts'
import { tcp } from '../../../../workers/tools/tcp.ts'
import { attemptOf, messageOf, runTool } from '../support.ts'

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('connects, and closes again', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const connected = once(server, 'connection')
  assert.deepEqual(await runTool(tcp, { address }), { ok: true, output: { address, ok: true } })
  const [socket] = await connected
  socket.resume()
  if (!socket.readableEnded) await once(socket, 'close')
  server.close()
})

test('says why it could not', async () => {
  const port = await freePort()
  const why = async (address: string): Promise<string> => messageOf(await runTool(tcp, { address }))
  assert.equal(
    await why(`127.0.0.1:${port}`),
    `tcp dial: dial tcp 127.0.0.1:${port}: connect: connection refused`,
  )
  assert.equal(await why(`:${port}`), `tcp dial: dial tcp :${port}: connect: connection refused`)
  assert.equal(await why('127.0.0.1:0'), 'tcp dial: dial tcp 127.0.0.1:0: connect: connection refused')
  assert.match(await why('no-such.invalid:80'), /^tcp dial: dial tcp: lookup no-such\.invalid: /)
  assert.equal(await why('a\0b:80'), 'tcp dial: dial tcp: lookup a\0b: no such host')
  assert.equal(await why('x'), 'tcp dial: dial tcp: address x: missing port in address')
})

test('refuses what it cannot try', async () => {
  assert.equal(messageOf(await runTool(tcp, {})), 'address is required (host:port)')
  assert.equal(
    messageOf(await runTool(tcp, { address: 'x:1', timeout_ms: 60_001 })),
    'timeout_ms exceeds max of 60000 ms',
  )
  assert.equal(
    messageOf(await runTool(tcp, { address: 5 })),
    'parse tcp params: json: cannot unmarshal number into Go struct field TCPParams.address of type string',
  )
})

test('an abort ends it', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const attempt = attemptOf()
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const dialling = runTool(tcp, { address }, attempt)
  attempt.abort(5000, 'context deadline exceeded')
  const result = await dialling
  assert.equal(messageOf(result), `tcp dial: dial tcp ${address}: i/o timeout`)
  assert.ok(!result.ok && result.code === 'cancelled')
  server.close()
})

test('takes addresses apart', () => {
  assert.deepEqual(splitHostPort('[::1]:9'), { host: '::1', port: 9 })
  assert.deepEqual(splitHostPort('host:HTTP'), { host: 'host', port: 80 })
  assert.deepEqual(splitHostPort('host:'), { host: 'host', port: 0 })
  assert.equal(splitHostPort('::1:9'), 'address ::1:9: too many colons in address')
  assert.equal(splitHostPort('[::1]'), 'address [::1]: missing port in address')
  assert.equal(splitHostPort('[::1'), "address [::1: missing ']' in address")
  assert.equal(splitHostPort('x:99999'), 'address 99999: invalid port')
  assert.equal(splitHostPort('x:-1'), 'address -1: invalid port')
  assert.equal(splitHostPort('x:toString'), 'address tcp/toString: unknown port')
})
