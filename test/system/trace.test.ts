/** W3C trace context, in and out, and the log. @see contract B6 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Metadata } from '@grpc/grpc-js'
import { startDaemon } from '../support/daemon.ts'
import { connect, NewClient } from '../support/grpc-transcript.ts'
import { tempDir } from '../support/temp-dir.ts'

const ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${ID}-00f067aa0ba902b7-01`
const other = `00-${ID.replace('4', '5')}-00f067aa0ba902b7-01`

const tells = { type: 'shell', params: { script: 'echo "[$TRACEPARENT]"' } }

test('a trace reaches commands and requests, and the log', async (t) => {
  const seen: (string | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers['traceparent'] as string | undefined)
    response.end()
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const daemon = await startDaemon({ env: { EXECGO_LOG_LEVEL: 'debug', TRACEPARENT: other } })
  t.after(() => daemon.stop())
  const tasks = [
    { id: 'sh', ...tells },
    { id: 'get', type: 'http', params: { url } },
    { id: 'own', type: 'http', params: { url, headers: { TraceParent: other } }, depends_on: ['get'] },
  ]
  const answer = await daemon.request('POST', '/tasks', { tasks }, { traceparent })
  assert.equal(answer.headers.get('x-trace-id'), ID)
  await daemon.allSettled()
  assert.equal((await daemon.get('sh')).result.stdout, `[${traceparent}]\n`)
  assert.deepEqual(seen, [traceparent, other])

  await daemon.submit([
    { id: 'untraced', ...tells },
    { id: 'get2', type: 'http', params: { url } },
  ])
  await daemon.allSettled()
  assert.equal((await daemon.get('untraced')).result.stdout, '[]\n')
  assert.equal(seen[2], undefined)
  const given = await daemon.request('GET', '/health', undefined, { traceparent, 'x-trace-id': 'mine' })
  assert.equal(given.headers.get('x-trace-id'), 'mine')

  const lines = daemon.logLines
    .map((line) => JSON.parse(line))
    .filter((line) => line.msg === 'a task is over')
  const names = lines.map(({ trace_id, task_id, graph_id }) => [trace_id, task_id, graph_id])
  assert.ok(names.some((name) => name.join() === `${ID},sh,${answer.body.graph_id}`))
  assert.ok(names.some(([trace, task]) => trace === undefined && task === 'untraced'))
})

test('a trace comes over gRPC too, and is there after a crash', async (t) => {
  const dataDir = await tempDir(t)
  const args = ['-max-concurrency', '1', '-shutdown-timeout', '0']
  const first = await startDaemon({ dataDir, args })
  const client = connect(NewClient, first.grpcAddress) as any
  const metadata = new Metadata()
  metadata.set('traceparent', traceparent)
  const toMessage = ({ params, ...task }: any): object => ({ ...task, params_json: JSON.stringify(params) })
  await new Promise<void>((resolve, reject) => {
    client.SubmitTasks(
      {
        tasks: [
          { id: 'first', type: 'sleep', params: { duration_ms: 600_000 } },
          { id: 'traced', ...tells },
        ].map(toMessage),
      },
      metadata,
      (error: Error | null) => (error === null ? resolve() : reject(error)),
    )
  })
  client.close()
  await first.until('first', (task) => task.status === 'running')
  await first.crash()
  const second = await startDaemon({ dataDir, args })
  t.after(() => second.stop())
  await second.request('POST', '/tasks/first/cancel')
  assert.equal((await second.settled('traced')).result.stdout, `[${traceparent}]\n`)
})
