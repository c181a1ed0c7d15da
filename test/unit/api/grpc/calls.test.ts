import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Metadata, status } from '@grpc/grpc-js'
import { fetch } from '../../../support/checked-fetch.ts'
import { type Edge, startEdge } from '../../../support/service-rig.ts'
import {
  type Client,
  type Message,
  NewClient,
  OldClient,
  call,
  connect,
} from '../../../support/grpc-transcript.ts'

const setUp = async (t: TestContext, Constructor = NewClient): Promise<Edge & { client: Client }> => {
  const edge = await startEdge(t)
  const client = connect(Constructor, edge.grpcAddress)
  t.after(() => client.close())
  return { ...edge, client }
}

const settled = async (client: Client, id: string): Promise<Message> => {
  for (;;) {
    const { task } = (await call(client, 'GetTask', { id })).message
    if (['success', 'failed', 'skipped'].includes(task.status)) return task
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('a client of the first table makes all six calls', async (t) => {
  const { client } = await setUp(t, OldClient)
  const before = Date.now()

  const tasks = [
    { id: 'a', type: 'noop', params_json: '{ "n": [1, 2.5, "é"] }', retry: 2, timeout_ms: 60_000 },
    { id: 'b', type: 'mcp', depends_on: ['a'] },
  ]
  const submitted = await call(client, 'SubmitTasks', { tasks })
  assert.deepEqual(submitted.message, { accepted: 2, task_ids: ['a', 'b'] })

  await settled(client, 'b')
  const { created_at_unix_ms, updated_at_unix_ms, ...a } = await settled(client, 'a')
  assert.deepEqual(a, {
    id: 'a',
    type: 'os',
    params_json: '{"n":[1,2.5,"é"]}',
    depends_on: [],
    retry: 2,
    timeout_ms: 60_000,
    status: 'success',
    result_json: '{"echo":{"n":[1,2.5,"é"]}}',
    error: '',
  })
  assert.ok(before <= created_at_unix_ms && created_at_unix_ms <= updated_at_unix_ms, `${created_at_unix_ms}`)
  assert.ok(updated_at_unix_ms <= Date.now())

  const listed = (await call(client, 'ListTasks', {})).message.tasks
  assert.deepEqual(
    listed.map((task: Message) => [task.id, task.depends_on]),
    [
      ['a', []],
      ['b', ['a']],
    ],
  )

  const metrics = (await call(client, 'Metrics', {})).message
  assert.deepEqual(metrics, {
    tasks_total: 2,
    tasks_running: 0,
    tasks_succeeded: 2,
    tasks_failed: 0,
    by_type: { mcp: 1, os: 1 },
  })
  const { uptime, ...health } = (await call(client, 'Health', {})).message
  assert.deepEqual(health, { status: 'ok', version: 'v9.8.7' })
  assert.match(uptime, /^\d+s$/)

  assert.deepEqual((await call(client, 'DeleteTask', { id: 'a' })).message, { deleted: true })
  await assert.rejects(call(client, 'GetTask', { id: 'a' }), {
    code: status.NOT_FOUND,
    details: 'task not found: a',
  })
})

test('the fields from 20 up say the rest of the task', async (t) => {
  const { client, httpUrl } = await setUp(t)
  const tasks = [
    { id: 'm', type: 'mcp', tool_name: 'x', input_json: '{"q":1}', annotations: { k: 'v', é: '' } },
    { id: 'f', type: 'shell', params_json: '{"fail":1}', depends_on: ['m'] },
    { id: 's', type: 'noop', depends_on: ['f'] },
  ]
  await call(client, 'SubmitTasks', { tasks })
  const skipped = await settled(client, 's')
  assert.equal(skipped.error, 'dependency f failed')
  assert.deepEqual(
    [skipped.run_status, skipped.runtime_json, skipped.result_json, skipped.params_json],
    ['', '', '', ''],
  )

  for (const id of ['m', 'f', 's']) {
    const told = (await call(client, 'GetTask', { id })).message.task
    const json = (await (await fetch(`${httpUrl}/tasks/${id}`)).json()) as Message
    const parsed = (text: string): unknown => (text === '' ? undefined : JSON.parse(text))
    assert.deepEqual(
      {
        status: told.status,
        tool_name: told.tool_name || undefined,
        input: parsed(told.input_json),
        params: parsed(told.params_json),
        result: parsed(told.result_json),
        run_status: told.run_status || undefined,
        runtime: parsed(told.runtime_json),
        handle_id: told.handle_id || undefined,
        progress: parsed(told.progress_json),
        annotations: Object.keys(told.annotations).length === 0 ? undefined : told.annotations,
        execution_category: told.execution_category || undefined,
        created: told.created_at_unix_ms,
        updated: told.updated_at_unix_ms,
      },
      {
        status: json.status,
        tool_name: json.tool_name,
        input: json.input,
        params: json.params,
        result: json.result,
        run_status: json.run_status,
        runtime: json.runtime,
        handle_id: json.handle_id,
        progress: json.progress,
        annotations: json.annotations,
        execution_category: json.execution_category,
        created: Date.parse(json.created_at),
        updated: Date.parse(json.updated_at),
      },
    )
  }
  const m = await settled(client, 'm')
  assert.match(m.handle_id, /^mcp-\d+$/)
  assert.equal(m.annotations.k, 'v')
  assert.equal(JSON.parse(m.progress_json).length, 3)
  assert.equal((await settled(client, 'f')).execution_category, 'os')
})

test('a bad graph gets the message that HTTP gives, and nothing of it is kept', async (t) => {
  const { client, httpUrl } = await setUp(t)
  const good = { id: 'good', type: 'noop' }
  const graphs: object[][] = [
    [],
    [good, { type: 'noop' }],
    [{ id: 'a"\n', type: '' }],
    [good, good],
    [{ ...good, retry: -1 }],
    [{ ...good, timeout: -5 }],
    [{ ...good, depends_on: ['gone'] }],
    [{ ...good, depends_on: ['good'] }],
    [
      { ...good, depends_on: ['b'] },
      { id: 'b', type: 'noop', depends_on: ['good'] },
    ],
    [good, { id: 'b', type: 'nope' }],
    [{ ...good, id: 'é'.repeat(600) }],
  ]
  for (const tasks of graphs) {
    const response = await fetch(`${httpUrl}/tasks`, { method: 'POST', body: JSON.stringify({ tasks }) })
    assert.equal(response.status, 400)
    const { error } = (await response.json()) as { error: string }
    const messages = tasks.map(({ timeout, ...task }: Message) => ({ ...task, timeout_ms: timeout }))
    await assert.rejects(call(client, 'SubmitTasks', { tasks: messages }), {
      code: status.INVALID_ARGUMENT,
      details: error,
    })
  }
  assert.deepEqual((await call(client, 'ListTasks', {})).message.tasks, [])
})

test('JSON text in a message must be an object, and is named where it is not', async (t) => {
  const { client } = await setUp(t)
  const cases: [object, RegExp][] = [
    [{ params_json: '{"a":' }, /^invalid JSON: tasks\[1\]\.params_json: ./],
    [{ params_json: ' ' }, /^invalid JSON: tasks\[1\]\.params_json: EOF$/],
    [{ params_json: '[1]' }, /^invalid JSON: tasks\[1\]\.params_json: expected an object, got an array$/],
    [{ input_json: '"x"' }, /^invalid JSON: tasks\[1\]\.input_json: expected an object, got "x"$/],
    [{ params_json: '{}', input_json: 'nul' }, /^invalid JSON: tasks\[1\]\.input_json: ./],
    // V8 quotes a piece of the text, which may begin or end within a surrogate pair.
    [
      { params_json: `{"${'😀'.repeat(40)}" ${'😀'.repeat(41)}x` },
      /^invalid JSON: tasks\[1\]\.params_json: ./,
    ],
  ]
  for (const [fields, expected] of cases) {
    const tasks = [
      { id: 'a', type: 'noop', params_json: 'null' },
      { id: 'b', type: 'noop', ...fields },
    ]
    await assert.rejects(call(client, 'SubmitTasks', { tasks }), (error: Message) => {
      assert.equal(error.code, status.INVALID_ARGUMENT)
      assert.match(error.details, expected)
      return true
    })
  }
  assert.deepEqual((await call(client, 'ListTasks', {})).message.tasks, [])
})

test('ids that are unknown or missing', async (t) => {
  const { client } = await setUp(t)
  for (const method of ['GetTask', 'DeleteTask']) {
    await assert.rejects(call(client, method, { id: 'x/é' }), {
      code: status.NOT_FOUND,
      details: 'task not found: x/é',
    })
    await assert.rejects(call(client, method, {}), {
      code: status.INVALID_ARGUMENT,
      details: 'id is required',
    })
    // Its message would not fit into any client's headers.
    await assert.rejects(call(client, method, { id: 'é'.repeat(100_000) }), (error: Message) => {
      assert.equal(error.code, status.NOT_FOUND)
      assert.match(error.details, /^task not found: é+…$/)
      return true
    })
  }
})

test('the trace id comes back: its own, or a new one', async (t) => {
  const { client } = await setUp(t)
  const metadata = new Metadata()
  metadata.set('x-trace-id', 'mine')
  assert.deepEqual((await call(client, 'Health', {}, metadata)).initial.get('x-trace-id'), ['mine'])
  assert.match(String((await call(client, 'Health', {})).initial.get('x-trace-id')[0]), /^[0-9a-f]{16}$/)
  await assert.rejects(call(client, 'GetTask', { id: 'x' }, metadata), (error: Message) => {
    assert.deepEqual(error.initial.get('x-trace-id'), ['mine'])
    return true
  })
})

test('a fault of our own is INTERNAL and told with its trace id', async (t) => {
  const { client, service, faults } = await setUp(t)
  t.mock.method(service, 'health', () => {
    throw new Error('broken')
  })
  const metadata = new Metadata()
  metadata.set('x-trace-id', 'mine')
  await assert.rejects(call(client, 'Health', {}, metadata), {
    code: status.INTERNAL,
    details: 'internal error (trace id mine is in the log)',
  })
  assert.deepEqual(
    faults.map(({ error, traceId }) => [(error as Error).message, traceId]),
    [['broken', 'mine']],
  )
})

test('what UTF-8 cannot say of an id taken over HTTP does not break the list', async (t) => {
  const { client, httpUrl } = await setUp(t)
  const body = '{"tasks":[{"id":"x\\ud800y","type":"noop","annotations":{"\\udc00":"\\ud800"}}]}'
  assert.equal((await fetch(`${httpUrl}/tasks`, { method: 'POST', body })).status, 202)
  const [task] = (await call(client, 'ListTasks', {})).message.tasks
  assert.equal(task.id, 'x\ufffdy')
  assert.deepEqual(task.annotations, { '\ufffd': '\ufffd' })
})

test('a list of many tasks is whole', async (t) => {
  const { client } = await setUp(t)
  const count = 5000
  const tasks = Array.from({ length: count }, (_, n) => ({
    id: `t${n}`,
    type: 'noop',
    params_json: `{"n":${n},"pad":"${'p'.repeat(1000)}"}`,
  }))
  assert.equal((await call(client, 'SubmitTasks', { tasks })).message.accepted, count)
  const listed = (await call(client, 'ListTasks', {})).message.tasks
  assert.equal(new Set(listed.map((task: Message) => task.id)).size, count)
})
