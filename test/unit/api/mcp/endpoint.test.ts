/** What a call leaves behind in the daemon when its client is gone. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createEndpoint } from '../../../../src/api/mcp/endpoint.ts'
import { parseGraph } from '../../../../src/api/schemas.ts'
import { eventually } from '../../../support/eventually.ts'
import { type Era, message } from '../../../support/mcp-client.ts'
import { startEdge } from '../../../support/service-rig.ts'

const TASK = { id: 'run', type: 'noop', delay_ms: 600_000 }

for (const era of ['legacy', 'modern'] as const satisfies readonly Era[])
  describe(era, () => {
    test('who is gone waits no more', async (t) => {
      const { service } = await startEdge(t)
      const endpoint = createEndpoint(service)
      const graph = parseGraph({ tasks: [{ ...TASK, id: 'later' }] })
      assert.ok(graph.ok)
      await service.submit(graph.value)
      const { waiting } = service.watchers
      for (const [name, input] of [
        ['run_graph', { tasks: [TASK], wait: '5m' }],
        ['wait', { task_ids: ['later'], timeout: '5m' }],
        ['wait', { graph_id: 'g-1', timeout: '5m', mode: 'any' }],
      ] as const) {
        const gone = new AbortController()
        const { headers, body } = message(era, 'tools/call', { name, arguments: input })
        const answer = endpoint({
          headers,
          body: JSON.parse(body),
          caller: null,
          gone: gone.signal,
          onFault: (error) => assert.fail(String(error)),
        })
        answer.catch(() => {})
        await eventually(`${name} waits`, () => waiting.waiters === 1)
        gone.abort()
        await eventually(`${name} is gone`, () => waiting.waiters === 0)
      }
    })
  })
