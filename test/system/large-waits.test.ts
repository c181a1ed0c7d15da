/** Waiting for more than the memory holds, over the real daemon. @see contract B3 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { fetch } from '../support/checked-fetch.ts'
import { type TestDaemon, SOON_MS, root, startDaemon } from '../support/daemon.ts'
import { call, connect, serviceIn } from '../support/grpc-transcript.ts'
import { tempDir } from '../support/temp-dir.ts'

/** A task shows its output twice: as its result, and in its runtime. */
const TEXT_BYTES = 8_000_000
const FILE_BYTES = TEXT_BYTES / 2
const COUNT = 20

/** With a heap that is smaller than what its tasks hold together. */
const startSmall = async (
  t: TestContext,
): Promise<{ daemon: TestDaemon; graphId: string; ids: string[] }> => {
  const path = join(await tempDir(t), 'large')
  await writeFile(path, 'x'.repeat(FILE_BYTES))
  const daemon = await startDaemon({
    args: ['-max-concurrency', '1'],
    env: { NODE_OPTIONS: '--max-old-space-size=128', EXECGO_MAX_FILE_BYTES: String(FILE_BYTES) },
  })
  t.after(() => daemon.stop())
  const ids = Array.from({ length: COUNT }, (_, at) => `large-${at}`)
  const tasks = ids.map((id) => ({ id, type: 'file', params: { action: 'read', path } }))
  const { body } = await daemon.request('POST', '/tasks', { tasks })
  const graph = await daemon.request('GET', `/graphs/${body.graph_id}?wait=1m`)
  assert.equal(graph.body.status, 'success')
  return { daemon, graphId: body.graph_id, ids }
}

/** How many bytes an answer has, and how it begins and ends. */
const sizeOf = async (daemon: TestDaemon, wanted: object): Promise<[number, string, string]> => {
  const response = await fetch(`${daemon.url}/tasks/wait`, { method: 'POST', body: JSON.stringify(wanted) })
  let bytes = 0
  let begin = ''
  let end = ''
  for await (const piece of response.body!) {
    const text = Buffer.from(piece).toString('latin1')
    if (bytes === 0) begin = text.slice(0, 29)
    end = (end + text.slice(-3)).slice(-3)
    bytes += piece.length
  }
  return [bytes, begin, end]
}

test('what is waited for may be larger than the memory', { timeout: 2 * SOON_MS }, async (t) => {
  const { daemon, graphId, ids } = await startSmall(t)
  const task_ids = Array.from({ length: 20 }, () => ids).flat()
  for (const wanted of [{ task_ids }, { task_ids, mode: 'any' }, { graph_id: graphId }]) {
    const [bytes, begin, end] = await sizeOf(daemon, wanted)
    assert.ok(bytes > COUNT * TEXT_BYTES && bytes < (COUNT + 1) * TEXT_BYTES, String(bytes))
    assert.deepEqual([begin, end], ['{"done":true,"tasks":[{"id":"', '}]}'])
  }

  const client = connect(
    serviceIn(join(root, 'proto/execgo/v1/execgo.proto'), 'execgo.v1.ExecGo'),
    daemon.grpcAddress,
  )
  t.after(() => client.close())
  await assert.rejects(call(client, 'WaitTasks', { graph_id: graphId }), {
    code: status.RESOURCE_EXHAUSTED,
    details:
      'the tasks are larger than 32 MiB: ask for them one by one (GetTask), or in pages (ListTasks with page_size)',
  })
  assert.equal((await daemon.request('GET', '/health')).status, 200)
})
