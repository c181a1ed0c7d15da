/** What can be said of a submission and of its tasks beside the guide's fields, over each wire. @see contract B2 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { script } from '../support/commands.ts'
import { startDaemon } from '../support/daemon.ts'
import { httpEdge } from './edges.ts'
import { refusalsOf, startWires } from './wires.ts'

for (const { daemon, edge, refuses, settled } of await startWires({ args: ['-max-concurrency', '1'] })) {
  describe(edge.name, () => {
    const noop = (id: string, more: object = {}) => ({ id, type: 'noop', ...more })

    test('a submission that comes again by its key gets the first answer', async () => {
      const how = { idempotency_key: 'k1' }
      const first = await edge.submit([noop('once')], how)
      assert.equal(first.replayed, false)
      const { created_at } = await settled('once')
      assert.deepEqual(await edge.submit([noop('once')], how), { ...first, replayed: true })
      assert.equal((await edge.get('once')).created_at, created_at)
      await refuses(
        edge.submit([noop('twice')], how),
        'mismatch',
        'idempotency key "k1" was used with another body',
      )
      await refuses(edge.get('twice'), 'notFound', 'task not found: twice')
      await refuses(
        edge.submit([noop('once')], { idempotency_key: 'k'.repeat(256) }),
        'invalid',
        'the idempotency key is longer than 255 bytes',
      )
    })

    test('a refused one leaves no answer: its key is free', async () => {
      await refuses(edge.submit([], { idempotency_key: 'k2' }), 'invalid', 'task graph is empty')
      assert.equal((await edge.submit([noop('free')], { idempotency_key: 'k2' })).replayed, false)
    })

    test('one of which every id exists already is answered again too', async () => {
      const how = { on_conflict: 'ignore', idempotency_key: 'k3' }
      await edge.submit([noop('there')])
      const first = await edge.submit([noop('there')], how)
      assert.deepEqual([first.accepted, first.task_ids, first.replayed], [0, ['there'], false])
      await edge.remove('there')
      // It would be a new one now.
      assert.deepEqual(await edge.submit([noop('there')], how), { ...first, replayed: true })
      await refuses(edge.get('there'), 'notFound', 'task not found: there')
      await refuses(
        edge.submit([noop('elsewhere')], how),
        'mismatch',
        'idempotency key "k3" was used with another body',
      )
    })

    test('on_conflict and durability are one of their words', async () => {
      const replace = await edge.submit([noop('again')], { on_conflict: 'replace' })
      const relaxed = await edge.submit([noop('again')], { durability: 'relaxed' })
      assert.deepEqual([replace.accepted, relaxed.accepted], [1, 1])
      assert.equal((await settled('again')).graph_id, relaxed.graph_id)
      await edge.submit([noop('again')], { durability: 'sync' })
      await refuses(
        edge.submit([noop('again')], { on_conflict: 'keep' }),
        'invalid',
        'invalid JSON: on_conflict: expected "replace", "reject" or "ignore", got "keep"',
      )
      await refuses(
        edge.submit([noop('again')], { durability: 'none' }),
        'invalid',
        'invalid JSON: durability: expected "sync" or "relaxed", got "none"',
      )
    })

    test('a higher priority starts first', async () => {
      await edge.submit([
        { id: 'busy', type: 'sleep', params: { duration_ms: 300 }, priority: 9 },
        noop('low', { priority: 0 }),
        noop('usual'),
        noop('high', { priority: 9 }),
      ])
      const ids = ['high', 'usual', 'low']
      const tasks = await Promise.all(ids.map(settled))
      assert.deepEqual(
        tasks.map(({ priority }) => priority ?? 5),
        [9, 5, 0],
      )
      const begins = tasks.map(({ runtime }) => Date.parse(runtime.started_at))
      assert.deepEqual(
        begins,
        begins.toSorted((a, b) => a - b),
      )
    })

    test('run_at and delay_ms are waited for', async () => {
      const runAt = new Date(Date.now() + 300).toISOString()
      await edge.submit([noop('at', { run_at: runAt }), noop('later', { delay_ms: 300 })])
      const [at, later] = [await settled('at'), await settled('later')]
      assert.equal(at.run_at, runAt)
      assert.ok(Date.parse(at.runtime.started_at) >= Date.parse(runAt))
      assert.equal(Date.parse(later.run_at), Date.parse(later.created_at) + 300)
      assert.ok(Date.parse(later.runtime.started_at) >= Date.parse(later.run_at))
    })

    test('allow_failure and run_if decide what runs', async () => {
      await edge.submit([
        { id: 'bad', type: 'file', params: {}, allow_failure: true },
        noop('next', { depends_on: ['bad'] }),
        noop('alarm', { depends_on: ['bad'], run_if: 'failure' }),
        noop('clean-up', { depends_on: ['next'], run_if: 'always' }),
        noop('needless', { depends_on: ['next'], run_if: 'failure' }),
      ])
      const ids = ['bad', 'next', 'alarm', 'clean-up', 'needless']
      const tasks = await Promise.all(ids.map(settled))
      assert.deepEqual(
        tasks.map(({ status, allow_failure, run_if }) => [status, allow_failure, run_if]),
        [
          ['failed', true, undefined],
          ['success', undefined, undefined],
          ['success', undefined, 'failure'],
          ['success', undefined, 'always'],
          ['skipped', undefined, 'failure'],
        ],
      )
      assert.equal(tasks[4].error, 'no dependency failed')
    })

    test('grace_ms of a cancel lies before SIGKILL', async () => {
      const stubborn = script(`trap '' TERM; echo ready; while :; do sleep 0.05; done`)
      await edge.submit([{ id: 'stubborn', ...stubborn }])
      await daemon.until('stubborn', ({ status }) => status === 'running')
      await refuses(edge.cancel('stubborn', -1), 'invalid', 'grace_ms must be from 0 to 600000')
      await refuses(edge.cancel('stubborn', 600_001), 'invalid', 'grace_ms must be from 0 to 600000')
      await edge.cancel('stubborn', 0)
      const { run_status, runtime } = await settled('stubborn')
      assert.equal(run_status, 'cancelled')
      assert.deepEqual(runtime.details, { signal: 'SIGKILL', terminated_by: 'user' })
    })
  })
}

test('HTTP names a run_at that is no time', async () => {
  const daemon = await startDaemon()
  const edge = httpEdge(daemon)
  const refuses = refusalsOf(edge)
  for (const [run_at, message] of [
    ['tomorrow', 'task "a": run_at must be an RFC 3339 time (got "tomorrow")'],
    ['', 'task "a": run_at must be an RFC 3339 time (got "")'],
    ['2026-13-01T00:00:00Z', 'task "a": run_at must be an RFC 3339 time (got "2026-13-01T00:00:00Z")'],
    [7, 'invalid JSON: tasks[0].run_at: expected a string, got 7'],
  ] as const) {
    await refuses(edge.submit([{ id: 'a', type: 'noop', run_at }]), 'invalid', message)
  }
  await daemon.stop()
})
