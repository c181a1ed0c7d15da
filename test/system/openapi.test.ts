/** The document of the API says what the daemon answers. @see contract B6 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { createApp } from '../../src/api/http/app.ts'
import { openApiDocument } from '../../src/api/openapi/document.ts'
import type { Service } from '../../src/api/service.ts'
import { startDaemon } from '../support/daemon.ts'

/** A field that the document does not know is an error here, unless it says that there may be others. */
const closed = (schema: any): any => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  return 'properties' in copy ? { additionalProperties: false, ...copy } : copy
}

/** What checks an answer of a route. */
const checker = (document: any) => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
  ajv.addVocabulary(['components'])
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'api', components: closed(document.components) })
  return (method: string, path: string, status: number, body: unknown): void => {
    const operation = document.paths[path]?.[method.toLowerCase()]
    assert.ok(operation, `${method} ${path} is not documented`)
    const answer = operation.responses[status]
    assert.ok(answer, `${method} ${path}: ${status} is not documented`)
    const ref = answer.content?.['application/json'].schema.$ref
    if (ref === undefined) {
      assert.equal(body, null)
      return
    }
    const check = ajv.getSchema(`api${ref}`)!
    assert.ok(check(body), `${method} ${path} ${status}: ${JSON.stringify([check.errors, body])}`)
  }
}

test('every answer is as the document says', async (t) => {
  const daemon = await startDaemon({ args: ['-shutdown-timeout', '0'], env: { EXECGO_TIMINGS: 'on' } })
  t.after(() => daemon.stop())
  const check = checker((await daemon.request('GET', '/openapi.json')).body)
  const ask = async (method: string, path: string, status: number, id = '', body?: unknown): Promise<any> => {
    const url = path.replace('{id}', encodeURIComponent(id))
    const answer = await daemon.request(method, url, body)
    assert.equal(answer.status, status, `${method} ${url} ${JSON.stringify(answer.body)}`)
    check(method, path.replace(/\?.*/, ''), status, answer.body)
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
  const foreign = await daemon.request('GET', '/tasks', undefined, { origin: 'https://evil.example' })
  check('GET', '/tasks', foreign.status, foreign.body)
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
  const app = createApp({ service: {} as Service, metricsText, onFault: () => {} })
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
  const undocumented = ['GET /openapi.json', 'GET /docs', 'GET /docs/{id}']
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
