/** Numbers that cannot be taken are refused by the path of their value, over both wires. @see contract A2 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { Refused, grpcEdge } from './edges.ts'

let daemon: TestDaemon
before(async () => {
  daemon = await startDaemon()
})
after(() => daemon.stop())

const REFUSED = { priority: 'task "n": priority must be from 0 to 9', integer: 'expected an integer, got' }

describe('over HTTP', () => {
  for (const [fields, message] of [
    ['"retry":1e999', `invalid JSON: tasks[0].retry: ${REFUSED.integer} Infinity`],
    ['"retry":-1e999', `invalid JSON: tasks[0].retry: ${REFUSED.integer} -Infinity`],
    ['"retry":9007199254740992', `invalid JSON: tasks[0].retry: ${REFUSED.integer} 9007199254740992`],
    ['"timeout":1e999', `invalid JSON: tasks[0].timeout: ${REFUSED.integer} Infinity`],
    ['"timeout":0.1', `invalid JSON: tasks[0].timeout: ${REFUSED.integer} 0.1`],
    ['"delay_ms":1e999', `invalid JSON: tasks[0].delay_ms: ${REFUSED.integer} Infinity`],
    ['"priority":1e999', `invalid JSON: tasks[0].priority: ${REFUSED.integer} Infinity`],
    ['"priority":10', REFUSED.priority],
    ['"priority":-1', REFUSED.priority],
    ['"params":{"a":[1e999]}', 'invalid JSON: tasks[0].params.a[0]: expected a finite number, got Infinity'],
  ] as const) {
    test(fields, async () => {
      const body = `{"tasks":[{"id":"n","type":"noop",${fields}}]}`
      const answer = await daemon.request('POST', '/tasks', body)
      assert.deepEqual([answer.status, answer.body.error], [400, message])
    })
  }

  test('grace_ms and limit', async () => {
    const grace = 'grace_ms must be from 0 to 600000'
    for (const [method, path, body, message] of [
      [
        'POST',
        '/tasks/n/cancel',
        '{"grace_ms":1e999}',
        `invalid JSON: grace_ms: ${REFUSED.integer} Infinity`,
      ],
      ['POST', '/tasks/n/cancel', '{"grace_ms":600001}', grace],
      ['POST', '/tasks/n/cancel?grace_ms=1e3', '', grace],
      ['POST', '/graphs/g-1/cancel?grace_ms=-1', '', grace],
      ['GET', '/graphs?limit=1e999', undefined, 'limit must be from 1 to 1000'],
      ['GET', '/graphs?limit=0', undefined, 'limit must be from 1 to 1000'],
      ['POST', '/mcp/call', '{"timeout":1e999}', `invalid JSON: timeout: ${REFUSED.integer} Infinity`],
      [
        'POST',
        '/mcp/call',
        '{"input":{"n":1e999}}',
        'invalid JSON: input.n: expected a finite number, got Infinity',
      ],
    ] as const) {
      const answer = await daemon.request(method, path, body)
      assert.deepEqual([answer.status, answer.body.error], [400, message])
    }
  })

  test('the largest ones are taken', async () => {
    const most = Number.MAX_SAFE_INTEGER
    await daemon.submit([
      { id: 'most', type: 'noop', retry: most, timeout: most },
      { id: 'latest', type: 'noop', delay_ms: most },
    ])
    const { retry, timeout } = await daemon.settled('most')
    assert.deepEqual([retry, timeout], [most, most])
    assert.equal((await daemon.get('latest')).run_at, '9999-12-31T23:59:59.999Z')
  })
})

describe('over gRPC', () => {
  // The largest int64, which a double holds as another.
  const most = '9223372036854775807'
  const held = 9223372036854776000
  for (const [fields, message] of [
    [{ retry: -(2 ** 31) }, 'task "n": retry cannot be negative'],
    [{ timeout: most }, `invalid JSON: tasks[0].timeout: ${REFUSED.integer} ${held}`],
    [{ delay_ms: most }, `invalid JSON: tasks[0].delay_ms: ${REFUSED.integer} ${held}`],
    [{ delay_ms: -1 }, 'task "n": delay_ms cannot be negative'],
    [{ priority: 10 }, REFUSED.priority],
    [{ priority: -1 }, REFUSED.priority],
    [{ run_at_unix_ms: -1 }, 'task "n": run_at must be an RFC 3339 time (got "-1")'],
    [{ run_at_unix_ms: most }, `task "n": run_at must be an RFC 3339 time (got "${held}")`],
  ] as const) {
    test(JSON.stringify(fields), async () => {
      const edge = grpcEdge(daemon)
      await assert.rejects(edge.submit([{ id: 'n', type: 'noop', ...fields }]), new Refused(3, message))
      edge.close()
    })
  }
})
