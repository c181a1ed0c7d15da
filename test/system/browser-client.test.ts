/** The client in a page of a real browser, whose origin the daemon allows: what every page needs of CORS is there. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type TestContext, test } from 'node:test'
import { addToken } from '../../src/api/guard/add-token.ts'
import { hasBrowser, startBrowser } from '../support/browser.ts'
import { startDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'

const skip = !hasBrowser && 'no chromium here'

const CLIENT = fileURLToPath(new URL('../../dist/src/client/', import.meta.url))

/** Serves an empty page and the built client beside it; resolves to its port. */
const serveClient = async (t: TestContext): Promise<number> => {
  const server = createServer((request, answer) => {
    const file = /^\/client\/([a-z]+\.js)$/.exec(request.url ?? '')?.[1]
    if (file === undefined) {
      answer.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,">')
      return
    }
    readFile(CLIENT + file).then(
      (text) => answer.setHeader('content-type', 'text/javascript').end(text),
      () => answer.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** What a page does with the client. */
const USE = `async ({ createClient, graph, NotFoundError }, options) => {
  const client = createClient(options)
  const from = await client.lastEvent()
  const steps = graph()
    .shell('greet', { command: 'echo', args: ['hello'] })
    .noop('end', {}, { after: ['greet'] })
  const { ok, graphId, tasks } = await client.run(steps)
  const ids = []
  for await (const { id } of client.list({ graphId, limit: 1 })) ids.push(id)
  const types = []
  for await (const { type } of client.events({ graphId, after: from })) {
    types.push(type)
    if (types.filter((each) => each === 'task_succeeded').length === 2) break
  }
  const missing = await client.get('nobody').catch((error) => error)
  await client.submit({ tasks: [{ id: 'long', type: 'sleep', params: { duration_ms: 600000 } }] })
  await client.cancel('long', { graceMs: 1 })
  const { done } = await client.wait(['long'], { timeoutMs: 30000 })
  await client.delete('long')
  return {
    ok, ids, types, done,
    stdout: tasks.greet.result.stdout,
    isMissing: missing instanceof NotFoundError,
    traceId: typeof missing.traceId,
    left: await client.has('long'),
  }
}`

test('the client works in a page of an allowed origin', { skip, timeout: 240_000 }, async (t) => {
  const file = `${await tempDir(t)}/auth.json`
  const token = addToken(file, 'page', ['read', 'submit', 'cancel', 'admin'])
  const origin = `http://app.example:${await serveClient(t)}`
  const daemon = await startDaemon({ env: { EXECGO_AUTH_FILE: file, EXECGO_ALLOWED_ORIGINS: origin } })
  t.after(() => daemon.stop())
  const page = await (await startBrowser(t, ['app.example'])).page()
  await page.goto(`${origin}/`)
  const options = JSON.stringify({ baseUrl: daemon.url, token })
  const found = await page.evaluate(
    `import('/client/index.js').then((client) => (${USE})(client, ${options}))`,
  )
  assert.deepEqual(found, {
    ok: true,
    ids: ['greet', 'end'],
    types: [
      'task_submitted',
      'task_submitted',
      'task_started',
      'task_succeeded',
      'task_started',
      'task_succeeded',
    ],
    done: true,
    stdout: 'hello\n',
    isMissing: true,
    traceId: 'string',
    left: false,
  })
})
