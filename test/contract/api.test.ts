/** What HTTP and gRPC promise alike: one suite, run over each of them against the real daemon. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startWires } from './wires.ts'

for (const { daemon, edge, refuses, settled } of await startWires()) {
  describe(edge.name, () => {
    test('a graph is accepted in its order, and runs in the order of its dependencies', async () => {
      const answer = await edge.submit([
        { id: 'b', type: 'noop', params: { message: 'second' }, depends_on: ['a'] },
        { id: 'a', type: 'noop', params: { message: 'first' } },
      ])
      assert.deepEqual([answer.accepted, answer.task_ids], [2, ['b', 'a']])
      assert.match(answer.graph_id, /^g-\d+$/)
      const b = await settled('b')
      assert.equal(b.type, 'os')
      assert.equal(b.tool_name, 'noop')
      assert.equal(b.status, 'success')
      assert.equal(b.run_status, 'success')
      assert.deepEqual(b.depends_on, ['a'])
      assert.deepEqual(b.params, { message: 'second' })
      assert.deepEqual(b.input, { message: 'second' })
      assert.deepEqual(b.result, { message: 'second', ok: true })
      assert.deepEqual(b.runtime.output, b.result)
      assert.equal(b.runtime.attempt, 1)
      const a = await edge.get('a')
      assert.ok(Date.parse(a.runtime.finished_at) <= Date.parse(b.runtime.started_at))
      assert.ok(Date.parse(a.created_at) <= Date.parse(a.updated_at))
    })

    test('every refusal has its words', async () => {
      const noop = (id: string, more: object = {}) => ({ id, type: 'noop', ...more })
      for (const [tasks, message] of [
        [[], 'task graph is empty'],
        [[{ type: 'noop' }], 'task id is required'],
        [[{ id: 'a' }], 'task "a": type is required'],
        [[noop('a'), noop('a')], 'duplicate task id: "a"'],
        [[noop('a', { retry: -1 })], 'task "a": retry cannot be negative'],
        [[noop('a', { timeout: -1 })], 'task "a": timeout cannot be negative'],
        [[noop('a', { depends_on: ['b'] })], 'task "a" depends on unknown task "b"'],
        [[noop('a', { depends_on: ['a'] })], 'task "a" cannot depend on itself'],
        [
          [noop('a', { depends_on: ['b'] }), noop('b', { depends_on: ['a'] })],
          'cycle detected in task graph',
        ],
        [[noop('a', { priority: 10 })], 'task "a": priority must be from 0 to 9'],
        [[noop('a', { delay_ms: -1 })], 'task "a": delay_ms cannot be negative'],
        [[noop('a', { run_if: 'x' })], 'task "a": run_if must be one of success, failure, always (got "x")'],
        [[noop('a', { run_if: 'failure' })], 'task "a": run_if "failure" needs depends_on'],
        [[{ id: 'a', type: 'x' }], 'unknown task type: x (available: cli-skills, mcp, os)'],
      ] as const) {
        await refuses(edge.submit(tasks), 'invalid', message)
      }
    })

    test('nothing is kept of a graph that was refused', async () => {
      await refuses(
        edge.submit([
          { id: 'half', type: 'noop' },
          { id: 'bad', type: 'noop', depends_on: ['nowhere'] },
        ]),
        'invalid',
        'task "bad" depends on unknown task "nowhere"',
      )
      await refuses(edge.get('half'), 'notFound', 'task not found: half')
    })

    test('a failure skips what depends on it, and theirs', async () => {
      await edge.submit([
        { id: 'f1', type: 'shell', params: { command: 'nope' } },
        { id: 'f2', type: 'noop', depends_on: ['f1'] },
        { id: 'f3', type: 'noop', depends_on: ['f2'] },
      ])
      const f3 = await settled('f3')
      assert.equal(f3.status, 'skipped')
      assert.equal(f3.error, 'dependency f2 skipped')
      assert.equal(f3.runtime, undefined)
      assert.equal((await edge.get('f2')).error, 'dependency f1 failed')
      const why = await edge.why('f3')
      assert.deepEqual([why.reason, why.dependency, why.root.id], ['skipped', 'f2', 'f1'])
      await refuses(edge.why('nobody'), 'notFound', 'task not found: nobody')
      const f1 = await edge.get('f1')
      assert.equal(f1.status, 'failed')
      assert.deepEqual(f1.runtime.error, {
        code: 'external_failure',
        message: 'command "nope" is not in the allowed whitelist',
        source: 'executor',
      })
    })

    test('a timeout is retried as often as the task says', async () => {
      await edge.submit([{ id: 't', type: 'sleep', params: { duration_ms: 300 }, timeout: 100, retry: 1 }])
      const t = await settled('t')
      assert.equal(t.status, 'failed')
      assert.equal(t.timeout, 100)
      assert.equal(t.retry, 1)
      assert.equal(t.runtime.attempt, 2)
      assert.deepEqual(t.runtime.error, {
        code: 'timeout',
        message: 'context deadline exceeded',
        retryable: true,
        source: 'scheduler',
      })
    })

    test('an id may hold any character', async () => {
      for (const id of ['a b', 'a/b', '中文 id', '%41', '?x=1&y', '#', '"quoted"', '\\', 'é\u0301', '🙂']) {
        await edge.submit([{ id, type: 'noop' }])
        assert.equal((await settled(id)).id, id)
        await edge.remove(id)
        await refuses(edge.get(id), 'notFound', `task not found: ${id}`)
      }
    })

    test('an id that is submitted again is replaced', async () => {
      await edge.submit([{ id: 'again', type: 'noop', params: { message: 'one' } }])
      await settled('again')
      await edge.submit([{ id: 'again', type: 'noop', params: { message: 'two' } }])
      assert.deepEqual((await settled('again')).result, { message: 'two', ok: true })
    })

    test('a removed task is gone, what it was to release is released', async () => {
      await edge.submit([
        { id: 'slow', type: 'sleep', params: { duration_ms: 300 } },
        { id: 'waits', type: 'noop', depends_on: ['slow'] },
      ])
      await edge.remove('slow')
      await refuses(edge.remove('slow'), 'notFound', 'task not found: slow')
      assert.equal((await settled('waits')).status, 'success')
      await refuses(edge.get('slow'), 'notFound', 'task not found: slow')
    })

    test('the list has every task', async () => {
      const ids = Array.from({ length: 50 }, (_, at) => `list-${at}`)
      await edge.submit(ids.map((id) => ({ id, type: 'noop' })))
      const listed = (await edge.list()).map((task) => task.id)
      for (const id of ids) assert.ok(listed.includes(id))
      // What still runs would be counted in the next test.
      await daemon.allSettled()
    })

    test('a task that runs is cancelled, and what depends on it skipped', async () => {
      const { graph_id } = await edge.submit([
        { id: 'c1', type: 'sleep', params: { duration_ms: 60_000 } },
        { id: 'c2', type: 'noop', depends_on: ['c1'] },
        { id: 'c3', type: 'noop', depends_on: ['c1'], run_if: 'always' },
      ])
      assert.equal((await edge.cancel('c1')).id, 'c1')
      const c1 = await settled('c1')
      assert.deepEqual([c1.status, c1.run_status, c1.runtime.status], ['failed', 'cancelled', 'cancelled'])
      assert.deepEqual(c1.runtime.error, {
        code: 'cancelled',
        message: 'context canceled',
        source: 'scheduler',
      })
      assert.equal(c1.runtime.details, null)
      assert.deepEqual(
        [(await settled('c2')).error, (await settled('c3')).status],
        ['dependency c1 failed', 'success'],
      )
      await refuses(edge.cancel('c1'), 'conflict', 'task c1 is over: failed')
      await refuses(edge.cancel('c0'), 'notFound', 'task not found: c0')
      const graph = await edge.graph(graph_id)
      assert.equal(graph.status, 'failed')
      assert.deepEqual({ ...graph.counts }, { pending: 0, running: 0, success: 1, failed: 1, skipped: 1 })
      await refuses(edge.cancelGraph(graph_id), 'conflict', `graph ${graph_id} is over: failed`)
    })

    test('a graph is cancelled: what runs and what waits', async () => {
      const { graph_id } = await edge.submit([
        { id: 'cg1', type: 'sleep', params: { duration_ms: 60_000 } },
        { id: 'cg2', type: 'noop', depends_on: ['cg1'] },
        { id: 'cg3', type: 'noop', delay_ms: 60_000 },
      ])
      assert.equal((await edge.cancelGraph(graph_id)).graph_id, graph_id)
      for (const id of ['cg1', 'cg2', 'cg3']) assert.equal((await settled(id)).run_status, 'cancelled')
      const graph = await edge.graph(graph_id)
      assert.deepEqual({ ...graph.counts }, { pending: 0, running: 0, success: 0, failed: 3, skipped: 0 })
      await refuses(edge.graph('g-999999'), 'notFound', 'graph not found: g-999999')
      await refuses(edge.graph('nonsense'), 'notFound', 'graph not found: nonsense')
    })

    test('ids that exist already: reject and ignore', async () => {
      await edge.submit([{ id: 'x1', type: 'noop' }])
      await settled('x1')
      await refuses(
        edge.submit([{ id: 'x1', type: 'noop' }], { on_conflict: 'reject' }),
        'conflict',
        'task ids exist already: x1 (on_conflict is "reject")',
      )
      const answer = await edge.submit(
        [
          { id: 'x1', type: 'noop' },
          { id: 'x2', type: 'noop', depends_on: ['x1'], priority: 0 },
        ],
        { on_conflict: 'ignore' },
      )
      assert.deepEqual([answer.accepted, answer.task_ids], [1, ['x1', 'x2']])
      assert.equal((await settled('x2')).status, 'success')
      assert.equal((await edge.get('x2')).graph_id, answer.graph_id)
      assert.notEqual((await edge.get('x1')).graph_id, answer.graph_id)
      assert.deepEqual([(await edge.get('x1')).priority ?? 5, (await edge.get('x2')).priority], [5, 0])
    })

    test('health and metrics', async () => {
      const health = await edge.health()
      assert.equal(health.status, 'ok')
      assert.match(health.version, /^v\d+\.\d+\.\d+$/)
      assert.match(health.uptime, /^\d+s$|^\d+m\d+s$/)
      const before = await edge.metrics()
      await edge.submit([
        { id: 'm1', type: 'noop' },
        { id: 'm2', type: 'mcp', tool_name: 'x' },
      ])
      await settled('m1')
      await settled('m2')
      const now = await edge.metrics()
      assert.equal(Number(now.tasks_total) - Number(before.tasks_total), 2)
      assert.equal(Number(now.tasks_succeeded) - Number(before.tasks_succeeded), 2)
      assert.equal(Number(now.by_type.mcp) - Number(before.by_type.mcp ?? 0), 1)
      assert.equal(Number(now.tasks_running), 0)
    })
  })
}
