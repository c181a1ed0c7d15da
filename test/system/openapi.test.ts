/**
 * The document of the API says what the daemon answers. Each answer that any test gets is checked against it
 * (`test/support/api-document.ts`); here is one of each kind.
 * @see contract B6
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApp } from '../../src/api/http/app.ts'
import { openApiDocument } from '../../src/api/openapi/document.ts'
import type { Service } from '../../src/api/service.ts'
import { expectAnswer } from '../support/api-document.ts'
import { fetch } from '../support/checked-fetch.ts'
import { startDaemon } from '../support/daemon.ts'

test('every answer is as the document says', async (t) => {
  const daemon = await startDaemon({ args: ['-shutdown-timeout', '0'], env: { EXECGO_TIMINGS: 'on' } })
  t.after(() => daemon.stop())
  const { body: document } = await daemon.request('GET', '/openapi.json')
  assert.deepEqual(document, openApiDocument(document.info.version))
  const ask = async (method: string, path: string, status: number, id = '', body?: unknown): Promise<any> => {
    const url = path.replace('{id}', encodeURIComponent(id))
    const answer = await daemon.request(method, url, body)
    assert.equal(answer.status, status, `${method} ${url} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const graph = await ask('POST', '/tasks', 202, '', {
    tasks: [
      { id: 'a', type: 'noop', params: { x: [1, null] }, annotations: { who: 'me' } },
      { id: 'b', type: 'shell', params: { command: 'echo', args: ['x'] }, depends_on: ['a'], timeout: 5000 },
      { id: 'c', type: 'shell', params: { command: 'nope' }, retry: 2, priority: 0 },
      { id: 'd', type: 'noop', depends_on: ['c'] },
      { id: 'e', type: 'noop', depends_on: ['c'], run_if: 'failure' },
      { id: 'f', type: 'shell', params: { command: 'cat', args: ['/nowhere'] }, allow_failure: true },
      { id: 'm', type: 'mcp', input: {} },
    ],
  })
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'm']) {
    await daemon.settled(id)
    await ask('GET', '/tasks/{id}', 200, id)
    await ask('GET', '/tasks/{id}/why', 200, id)
  }
  await ask('POST', '/tasks', 202, '', {
    tasks: [
      { id: 'runs', type: 'sleep', params: { duration_ms: 600_000 } },
      { id: 'waits', type: 'noop', depends_on: ['runs'] },
      { id: 'later', type: 'noop', delay_ms: 600_000 },
    ],
  })
  await daemon.until('runs', (task) => task.status === 'running')
  for (const id of ['runs', 'waits', 'later']) {
    await ask('GET', '/tasks/{id}', 200, id)
    await ask('GET', '/tasks/{id}/why', 200, id)
  }
  await ask('GET', '/tasks', 200)
  await ask('POST', '/tasks/wait', 200, '', { task_ids: ['a'] })
  await daemon.request('GET', '/tasks', undefined, { origin: 'https://evil.example' })
  await ask('POST', '/tasks', 400, '', { tasks: [{ id: 1 }] })
  await ask('GET', '/tasks/{id}', 404, 'nobody')
  await ask('GET', '/tasks/{id}/why', 404, 'nobody')
  await ask('POST', '/tasks/{id}/cancel', 202, 'runs', { grace_ms: 10 })
  await daemon.settled('runs')
  await ask('GET', '/tasks/{id}', 200, 'runs')
  await ask('GET', '/tasks/{id}/why', 200, 'runs')
  await ask('POST', '/tasks/{id}/cancel', 409, 'runs')
  await ask('POST', '/tasks/{id}/cancel', 404, 'nobody')
  await ask('DELETE', '/tasks/{id}', 204, 'runs')
  await ask('DELETE', '/tasks/{id}', 404, 'runs')
  await ask('GET', '/graphs', 200)
  await ask('GET', '/graphs?limit=0', 400)
  await ask('GET', '/graphs/{id}', 200, graph.graph_id)
  await ask('GET', '/graphs/{id}', 404, 'g-999')
  await ask('POST', '/graphs/{id}/cancel', 409, graph.graph_id)
  await ask('POST', '/graphs/{id}/retry', 202, graph.graph_id)
  await daemon.until('d', (task) => task.status === 'skipped')
  await ask('DELETE', '/graphs/{id}', 404, 'g-999')
  await ask('GET', '/health', 200)
  await ask('GET', '/metrics', 200)
  await ask('GET', '/mcp/tools', 200)
  const call = await ask('POST', '/mcp/call', 202, '', { tool_name: 'x', input: {} })
  await daemon.settled(call.task_id)
  await ask('GET', '/mcp/tasks/{id}', 200, call.handle_id)
  await ask('GET', '/mcp/tasks/{id}', 404, 'mcp-1')
})

test('an answer that the document does not tell is noticed', () => {
  const health = { status: 'ok', version: 'v1', uptime: '1s' }
  const expect = (method: string, url: string, status: number, body: unknown, type = 'application/json') =>
    expectAnswer(method, url, { status, type, text: typeof body === 'string' ? body : JSON.stringify(body) })
  expect('GET', '/health', 200, health)
  expect('GET', '/tasks/wait?wait=1s', 404, { error: 'x' })
  expect('PUT', '/tasks', 405, { error: 'x' })
  expect('HEAD', '/tasks', 200, '')
  expect('DELETE', '/tasks/a', 204, '', '')
  expect('GET', '/metrics', 200, 'execgo_slots 1', 'text/plain; version=0.0.4; charset=utf-8')
  expect('POST', '/graphs/x\\retry', 403, { error: 'x' })
  for (const [method, url, status, body, type] of [
    ['GET', '/health', 200, { ...health, more: 1 }],
    ['GET', '/health', 200, { status: 'ok' }],
    ['GET', '/health', 202, health],
    ['GET', '/tasks', 200, [{ id: 'a' }]],
    ['GET', '/tasks/a', 404, { reason: 'x' }],
    ['DELETE', '/tasks/a', 204, {}],
    ['PUT', '/tasks', 200, null],
    ['GET', '/nowhere', 200, null],
    ['GET', '/health', 200, '', 'text/plain'],
    ['GET', '/health', 200, '{"status":'],
    ['GET', '/events', 200, '[]'],
    ['HEAD', '/health', 200, health],
    ['DELETE', '/tasks/a', 204, 'x', ''],
    ['POST', '/graphs/x\\retry', 403, {}],
  ] as [string, string, number, unknown, string?][])
    assert.throws(() => expect(method, url, status, body, type), `${method} ${url}`)
})

test('what the document says of requests is what is checked', () => {
  const document = openApiDocument('1.0.0') as any
  const { SubmittedTask, TaskGraph } = document.components.schemas
  assert.deepEqual(SubmittedTask.properties.retry, { type: ['integer', 'null'] })
  assert.deepEqual(SubmittedTask.properties.depends_on, {
    type: ['array', 'null'],
    items: { type: 'string' },
  })
  assert.deepEqual(SubmittedTask.properties.annotations.additionalProperties, { type: 'string' })
  assert.deepEqual(TaskGraph.properties.tasks.items, { $ref: '#/components/schemas/SubmittedTask' })
  assert.deepEqual(TaskGraph.properties.on_conflict.enum, ['replace', 'reject', 'ignore', null])
  assert.equal(SubmittedTask.required, undefined)
})

test('every route is documented, and no other', () => {
  const metricsText = { text: async () => '' }
  const mcp = async () => new Response()
  const app = createApp({ service: {} as Service, metricsText, mcp, onFault: () => {} })
  const documented = new Set<string>()
  for (const [path, operations] of Object.entries(openApiDocument('1').paths as object))
    for (const method of Object.keys(operations)) documented.add(`${method.toUpperCase()} ${path}`)
  // The handler that refuses what `/tasks/:id` does not take lets this one through: no route of its own.
  const routes = new Set<string>(['POST /tasks/wait'])
  const taken: readonly string[] = ['GET', 'POST', 'DELETE']
  // Each path has one handler more, of all the methods that it does not take.
  const refusals = app.routes.find(({ method }) => method === 'TRACE')
  assert.ok(refusals)
  const others = new Set(app.routes.filter(({ method }) => method === 'TRACE').map(({ handler }) => handler))
  for (const { method, path, handler } of app.routes)
    if (taken.includes(method) && !others.has(handler)) routes.add(`${method} ${path.replace(':id', '{id}')}`)
  // JSON-RPC, whose messages MCP describes, and whose tools describe themselves.
  const undocumented = ['GET /openapi.json', 'GET /docs', 'GET /docs/{id}', 'POST /mcp']
  assert.deepEqual(
    [...routes].filter((route) => !undocumented.includes(route)).sort(),
    [...documented].sort(),
  )
})

test('without a build the page is whole too', async (t) => {
  const daemon = await startDaemon({ fromSource: true })
  t.after(() => daemon.stop())
  for (const path of ['', '/swagger-ui.css', '/swagger-ui-bundle.js', '/favicon-32x32.png', '/start.js'])
    assert.equal((await fetch(`${daemon.url}/docs${path}`)).status, 200, path)
})

test('the page loads everything from here, and nothing may be put around it', async (t) => {
  const daemon = await startDaemon()
  t.after(() => daemon.stop())
  const page = await fetch(`${daemon.url}/docs`)
  const html = await page.text()
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.match(page.headers.get('content-security-policy')!, /default-src 'none'.*frame-ancestors 'none'/)
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
  const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!)
  assert.equal(loaded.length, 4)
  for (const path of loaded) {
    assert.match(path, /^\/docs\//)
    const part = await fetch(daemon.url + path)
    assert.equal(part.status, 200, path)
    assert.ok((await part.arrayBuffer()).byteLength > 50, path)
    assert.equal(part.headers.get('x-content-type-options'), 'nosniff')
  }
  for (const path of ['package.json', '..%2fpackage.json', '__proto__', 'constructor'])
    assert.equal((await fetch(`${daemon.url}/docs/${path}`)).status, 404, path)
})
