/** A store that refuses a commit is a 503 over HTTP and UNAVAILABLE over gRPC, and nothing half done. @see contract B1 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { request } from '../support/daemon.ts'
import { startEdge } from '../support/service-rig.ts'
import { grpcEdge, httpEdge } from './edges.ts'
import { refusalsOf } from './wires.ts'

const FULL = 'no space left on device'

for (const open of [httpEdge, grpcEdge]) {
  const { store, httpUrl, grpcAddress } = await startEdge({ after })
  const edge = open({ url: httpUrl, grpcAddress })
  after(() => edge.close())

  describe(edge.name, () => {
    const refuses = refusalsOf(edge)
    /** While `run` runs nothing is kept. */
    const whileBroken = async (run: () => Promise<void>): Promise<void> => {
      const { commit } = store
      store.commit = () => Promise.reject(new Error(FULL))
      try {
        await run()
      } finally {
        store.commit = commit
      }
    }
    const settled = async (id: string): Promise<any> => {
      for (;;) {
        const task = await edge.get(id)
        if (['success', 'failed', 'skipped'].includes(task.status)) return task
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    const waiting = (id: string) => ({ id, type: 'noop', delay_ms: 3_600_000 })

    test('a submission: nothing of it is there, and it may come again', async () => {
      const tasks = [{ id: 'a', type: 'noop' }]
      const how = { idempotency_key: 'k' }
      await whileBroken(async () => {
        await refuses(edge.submit(tasks, how), 'unavailable', `the graph could not be kept: ${FULL}`)
        await refuses(edge.get('a'), 'notFound', 'task not found: a')
      })
      assert.equal((await edge.submit(tasks, how)).replayed, false)
      assert.equal((await settled('a')).status, 'success')
      const same = { on_conflict: 'ignore', idempotency_key: 'k2' }
      await whileBroken(() =>
        refuses(edge.submit(tasks, same), 'unavailable', `the graph could not be kept: ${FULL}`),
      )
      assert.equal((await edge.submit(tasks, same)).replayed, false)
      assert.equal((await edge.submit(tasks, same)).replayed, true)
    })

    test('a deletion: the record stays', async () => {
      await edge.submit([{ id: 'stays', type: 'noop' }])
      const { status } = await settled('stays')
      await whileBroken(() =>
        refuses(edge.remove('stays'), 'unavailable', `task stays could not be removed: ${FULL}`),
      )
      assert.equal((await edge.get('stays')).status, status)
      await edge.remove('stays')
    })

    test('a cancel: it is told once it is kept', async () => {
      const unkept = `it is cancelled, which could not be kept yet: ${FULL}`
      const { graph_id } = await edge.submit([waiting('c1'), waiting('c2')])
      await whileBroken(async () => {
        await refuses(edge.cancel('c1'), 'unavailable', unkept)
        assert.equal((await edge.get('c1')).status, 'pending')
        await refuses(edge.cancelGraph(graph_id), 'unavailable', unkept)
      })
      assert.deepEqual(
        [(await settled('c1')).run_status, (await settled('c2')).run_status],
        ['cancelled', 'cancelled'],
      )
    })
  })
}

test('over HTTP alone: an mcp call, and what changes a graph', async (t) => {
  const { store, httpUrl } = await startEdge(t)
  const ask = (method: string, path: string, body?: unknown) => request(httpUrl + path, method, body)
  const { graph_id } = (
    await ask('POST', '/tasks', { tasks: [{ id: 'f', type: 'noop', params: { fail: 1 } }] })
  ).body
  while ((await ask('GET', `/graphs/${graph_id}`)).body.status !== 'failed')
    await new Promise((resolve) => setTimeout(resolve, 10))
  const refusals: unknown[] = []
  const mock = t.mock.method(store, 'commit', () => Promise.reject(new Error(FULL)))
  for (const [method, path] of [
    ['POST', '/mcp/call'],
    ['POST', `/graphs/${graph_id}/retry`],
    ['DELETE', `/graphs/${graph_id}`],
  ] as const) {
    const { status, body } = await ask(method, path, method === 'POST' ? {} : undefined)
    refusals.push([status, body.error])
  }
  mock.mock.restore()
  assert.deepEqual(refusals, [
    [503, `the graph could not be kept: ${FULL}`],
    [503, `graph ${graph_id} could not be changed: ${FULL}`],
    [503, `graph ${graph_id} could not be changed: ${FULL}`],
  ])
  assert.equal((await ask('GET', `/graphs/${graph_id}`)).body.status, 'failed')
  assert.equal((await ask('DELETE', `/graphs/${graph_id}`)).status, 204)
})
