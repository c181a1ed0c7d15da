/** The daemon as an MCP server, by the official client: over HTTP and over stdio, by each kind of revisions. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { script } from '../support/commands.ts'
import { type TestDaemon, root, startDaemon } from '../support/daemon.ts'
import { type Era, REVISIONS, type Wire, call, connect, overStdio } from '../support/mcp-client.ts'

const NAMES = ['run_graph', 'submit_graph', 'wait', 'get_task', 'list_tasks', 'cancel']

let daemon: TestDaemon
before(async () => {
  daemon = await startDaemon({ env: { EXECGO_GRACE_MS: '300' } })
})
after(() => daemon.stop())

const suite = (wire: Wire, era: Era): void => {
  /** Ids are the daemon's. */
  const id = (name: string): string => `${wire}-${era}-${name}`

  test('it says what it is, and what it has', async (t) => {
    const client = await connect(t, wire, era, daemon.url)
    assert.equal(client.getServerVersion()?.name, 'execgo')
    assert.equal(client.getNegotiatedProtocolVersion(), REVISIONS[era])
    assert.match(client.getInstructions() ?? '', /run_graph/)
    const { tools } = await client.listTools()
    assert.deepEqual(
      tools.map(({ name }) => name),
      NAMES,
    )
    const ajv = new Ajv2020({ strict: true })
    addFormats.default(ajv)
    for (const tool of tools) {
      ajv.compile(tool.inputSchema as object)
      ajv.compile(tool.outputSchema as object)
      assert.equal(JSON.stringify(tool.inputSchema).includes('null'), false, tool.name)
      assert.equal(tool.annotations?.readOnlyHint, /^(wait|get|list)/.test(tool.name), tool.name)
    }
    // Every conversation of an agent begins with it.
    assert.ok(JSON.stringify(tools).length < 20_000)
  })

  test('a graph is run to its end, and tells how far it is', async (t) => {
    const client = await connect(t, wire, era, daemon.url)
    const told: { progress: number; total?: number | undefined }[] = []
    const tasks = [
      { id: id('a'), ...script('sleep 1.5; echo one') },
      { id: id('b'), ...script('echo two >&2; exit 3'), depends_on: [id('a')] },
      { id: id('c'), type: 'noop', depends_on: [id('b')] },
    ]
    const answer = await call(client, 'run_graph', { tasks }, { onprogress: (each) => told.push(each) })
    assert.equal(answer.done, true)
    assert.equal(answer.ok, false)
    assert.deepEqual(answer.graph.counts, { pending: 0, running: 0, success: 1, failed: 1, skipped: 1 })
    const [a, b, c] = answer.tasks
    assert.equal(a.result.stdout, 'one\n')
    assert.equal(b.error, 'command failed: exit status 3')
    assert.equal(b.error_code, 'external_failure')
    assert.equal(b.result.stderr, 'two\n')
    assert.equal(c.status, 'skipped')
    assert.ok(told.length > 0)
    for (const [at, each] of told.entries()) {
      assert.equal(each.total, 3)
      assert.ok(at === 0 || each.progress > told[at - 1]!.progress)
    }
  })

  test('what takes longer goes on, and can be waited for and cancelled', async (t) => {
    const client = await connect(t, wire, era, daemon.url)
    const tasks = [
      { id: id('long'), ...script('sleep 600') },
      { id: id('quick'), type: 'noop' },
    ]
    const first = await call(client, 'run_graph', { tasks, wait: '200ms' })
    assert.equal(first.done, false)
    assert.equal(first.ok, undefined)
    assert.match(first.notes[0], new RegExp(`wait with graph_id ${first.graph.graph_id}`))
    const graph_id = first.graph.graph_id
    const any = await call(client, 'wait', { graph_id, mode: 'any' })
    assert.equal(any.done, true)
    const named = await call(client, 'wait', { task_ids: [id('long'), id('quick')], timeout: '0s' })
    assert.equal(named.done, false)
    assert.equal(named.tasks[1].status, 'success')
    const cancelled = await call(client, 'cancel', { graph_id, grace_ms: 10 })
    assert.equal(cancelled.graph.graph_id, graph_id)
    const last = await call(client, 'wait', { graph_id })
    assert.equal(last.done, true)
    assert.equal(last.tasks[0].run_status, 'cancelled')
    const again = await call(client, 'cancel', { task_id: id('long') })
    assert.match(again.refused, /is over|already/)
  })

  test('a submitted graph, one task of it, and the list', async (t) => {
    const client = await connect(t, wire, era, daemon.url)
    const tasks = [{ id: id('echo'), ...script('echo $TRACEPARENT') }]
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const graph = { tasks, idempotency_key: id('key') }
    const { structuredContent } = await client.callTool({
      name: 'submit_graph',
      arguments: graph,
      _meta: { traceparent },
    })
    const { graph_id } = structuredContent as { graph_id: string }
    // Sent again, it is not run again.
    assert.equal((await call(client, 'submit_graph', graph)).graph_id, graph_id)
    await call(client, 'wait', { graph_id })
    const { task } = await call(client, 'get_task', { id: id('echo') })
    assert.equal(task.status, 'success')
    assert.match(task.result.stdout, /^00-0af7651916cd43dd8448eb211c80319c-/)
    assert.deepEqual(task.params, { script: 'echo $TRACEPARENT' })
    const part = await call(client, 'get_task', {
      id: id('echo'),
      text_at: 'result.stdout',
      offset: 3,
      max_chars: 4,
    })
    assert.deepEqual(part, { text: '0af7', total_chars: 56, next_offset: 7 })
    const page = await call(client, 'list_tasks', { prefix: id('e'), status: 'success', limit: 1 })
    assert.equal(page.tasks[0].id, id('echo'))
    assert.equal(page.tasks[0].result, undefined)
  })

  test('a refusal says what is wrong, and what to do', async (t) => {
    const client = await connect(t, wire, era, daemon.url)
    const refusals: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
      ['get_task', { id: id('nobody') }, /^task not found: .*\n.*list_tasks/],
      ['get_task', {}, /^id is required\nCorrect/],
      ['get_task', { id: 'x', max_chars: 0 }, /max_chars must be/],
      ['submit_graph', { tasks: [{ id: 1 }] }, /^wrong arguments: tasks\[0\]\.id: expected a string, got 1/],
      ['submit_graph', {}, /task graph is empty/],
      ['run_graph', { tasks: [{ id: 'x', type: 'nope' }] }, /unknown task type: nope/],
      ['run_graph', { tasks: [], wait: 'long' }, /wait must be a duration/],
      ['wait', {}, /either task_ids or graph_id/],
      ['wait', { task_ids: Array.from({ length: 51 }, (_, n) => `t${n}`) }, /more than 50/],
      ['wait', { graph_id: 'g-999999' }, /graph not found/],
      ['cancel', { task_id: 'x', graph_id: 'y' }, /either task_id or graph_id/],
      ['cancel', { task_id: id('nobody') }, /task not found/],
      ['list_tasks', { status: 'done' }, /status must be one of/],
      ['list_tasks', { limit: 1000 }, /limit must be from 1 to 100/],
    ]
    for (const [name, input, expected] of refusals)
      assert.match((await call(client, name, input)).refused, expected, name)
    await assert.rejects(client.callTool({ name: 'nope', arguments: {} }), /no such tool/)
  })

  test('what is long is cut, and can be read on', async (t) => {
    const client = await connect(t, wire, era, daemon.url)
    const loud = 'seq 1 40000; echo the end'
    const tasks = Array.from({ length: 60 }, (_, n) => ({
      id: id(`loud-${n}`),
      ...script(n < 3 ? loud : n === 59 ? 'exit 1' : 'true'),
    }))
    const answer = await call(client, 'run_graph', { tasks, wait: '2m' })
    assert.equal(answer.done, true)
    assert.ok(JSON.stringify(answer).length < 40_000)
    assert.equal(answer.tasks.length, 50)
    // What went wrong comes first.
    assert.equal(answer.tasks[0].id, id('loud-59'))
    assert.match(answer.notes.join('\n'), /10 more tasks .*\n.*text_at/)
    // All are there already, in no graph of this call.
    const again = await call(client, 'run_graph', { tasks, on_conflict: 'ignore' })
    assert.deepEqual([again.done, again.ok, again.tasks.length], [true, undefined, 50])
    assert.match(again.notes.join('\n'), /10 more tasks are left out: get_task has them/)
    const { task, notes } = await call(client, 'get_task', { id: id('loud-0') })
    assert.match(task.result.stdout, /^1\n2\n.*characters left out.*the end\n$/s)
    assert.match(notes[0], /text_at/)
    let text = ''
    for (let offset: number | undefined = 0; offset !== undefined; ) {
      const part: any = await call(client, 'get_task', {
        id: id('loud-0'),
        text_at: 'result.stdout',
        offset,
        max_chars: 100_000,
      })
      text += part.text
      offset = part.next_offset
    }
    assert.match(text, /\n20000\n.*\n40000\nthe end\n$/s)
  })
}

for (const wire of ['http', 'stdio'] as const)
  for (const era of ['legacy', 'modern'] as const)
    describe(`${wire}, ${REVISIONS[era]}`, () => suite(wire, era))

/** Calls `run_graph`, and cancels the call once the task runs. */
const cancelWhileRunning = async (t: any, wire: Wire, era: Era): Promise<string> => {
  const client = await connect(t, wire, era, daemon.url)
  const id = `cancelled-${wire}-${era}`
  const stop = new AbortController()
  const run = call(client, 'run_graph', { tasks: [{ id, ...script('sleep 600') }] }, { signal: stop.signal })
  const refused = assert.rejects(run)
  for (let found = false; !found; ) found = (await daemon.request('GET', `/tasks/${id}`)).status === 200
  await daemon.until(id, (task) => task.status === 'running')
  stop.abort('enough')
  await refused
  return id
}

test('a call that is cancelled stops its graph', async (t) => {
  for (const [wire, era] of [
    ['stdio', 'legacy'],
    ['stdio', 'modern'],
    ['http', 'modern'],
  ] as const) {
    const task = await daemon.settled(await cancelWhileRunning(t, wire, era))
    assert.equal(task.run_status, 'cancelled', `${wire} ${era}`)
  }
})

test('over HTTP by 2025-11-25 it does not: a connection that breaks says nothing there', async (t) => {
  const id = await cancelWhileRunning(t, 'http', 'legacy')
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.equal((await daemon.get(id)).status, 'running')
  await daemon.request('POST', `/tasks/${id}/cancel`)
})

test('a host that ends takes execgo mcp with it, and leaves its graphs', async (t) => {
  const { client, transport } = await overStdio(t, daemon.url, 'modern')
  const run = call(client, 'run_graph', { tasks: [{ id: 'left', ...script('sleep 600') }] })
  run.catch(() => {})
  while ((await daemon.request('GET', '/tasks/left')).status !== 200);
  const pid = transport.pid!
  await client.close()
  assert.throws(() => process.kill(pid, 0))
  assert.notEqual((await daemon.get('left')).status, 'failed')
  await daemon.request('POST', '/tasks/left/cancel')
})

test('nothing but MCP is on the stdout of execgo mcp, whatever comes in', async () => {
  const child = spawn(process.execPath, [join(root, 'dist/src/cli.js'), 'mcp'], {
    env: { ...process.env, EXECGO_URL: 'http://127.0.0.1:9' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  const initialize = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  }
  const lines = [
    'hello',
    '{"jsonrpc":"2.0","id":',
    JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: initialize }),
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
    '[]',
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'nope' }),
    JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'list_tasks' } }),
  ]
  child.stdin.write(`${lines.join('\n')}\n`)
  const answers = (): any[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  while (!answers().some(({ id }) => id === 2)) await once(child.stdout, 'data')
  assert.equal(answers().find(({ id }) => id === 1).error.code, -32601)
  const { result } = answers().find(({ id }) => id === 2)
  assert.equal(result.isError, true)
  assert.match(result.content[0].text, /the daemon does not answer .*EXECGO_URL/)
  child.stdin.end()
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
  assert.match(stderr, /execgo mcp: .*calls are refused until it answers/)
})
