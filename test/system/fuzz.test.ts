/**
 * Anything that can be sent over HTTP: never a 5xx, an answer to everything, and the daemon lives. 5,000 requests, or
 * as many as FUZZ_REQUESTS says; FUZZ_SEED takes another way through them.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { startDaemon } from '../support/daemon.ts'

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] || 5000)
const SEED = Number(process.env['FUZZ_SEED'] || 20_261_123)
const AT_ONCE = 50
/** Made at a time. */
const PART = 1000
const ANSWER_WITHIN_MS = 30_000

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constant('a'.repeat(600)),
)
const id = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', '__proto__', 'constructor', 'é/ü', '..', '%', ''),
  },
  { weight: 1, arbitrary: anyText },
)
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer(),
  fc.double(),
  fc.constantFrom(1e308, -1, 2 ** 53),
)

/** Mostly `arbitrary`, sometimes anything. */
const mostly = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 60, arbitrary }, { weight: 1, arbitrary: odd })

/** Nothing that a machine would be the worse for. */
const work = fc.oneof(
  fc.record({
    type: fc.constantFrom('noop', 'mcp', 'os', 'mcp'),
    params: mostly(fc.object({ maxDepth: 2 })),
  }),
  fc.record({ type: fc.constant('sleep'), params: fc.record({ duration_ms: fc.nat(20) }) }),
  fc.record({
    type: fc.constantFrom('shell', 'cli-skills'),
    params: fc.record({ command: fc.constant('echo'), args: mostly(fc.array(fc.string())) }),
  }),
  fc.record({
    type: fc.constant('file'),
    params: fc.record({ action: fc.constantFrom('stat', 'read', 'x'), path: mostly(fc.string()) }),
  }),
  fc.record({ type: mostly(fc.constantFrom('x', '', 'toString')) }),
)
const more = fc.record(
  {
    depends_on: mostly(fc.oneof(fc.constant(['a']), fc.constant([]), fc.array(id, { maxLength: 3 }))),
    retry: mostly(fc.nat(2)),
    timeout: mostly(fc.nat(1000)),
    priority: mostly(fc.nat(9)),
    delay_ms: mostly(fc.nat(50)),
    run_at: mostly(fc.constant('2020-01-01T00:00:00Z')),
    run_if: mostly(fc.constantFrom('success', 'always')),
    allow_failure: mostly(fc.boolean()),
    tool_name: mostly(fc.constantFrom('noop', 'x', '')),
    input: mostly(fc.constant({})),
    annotations: mostly(fc.dictionary(fc.string(), fc.string())),
  },
  { requiredKeys: [] },
)
const task = fc.tuple(mostly(id), work, more).map(([name, what, rest]) => ({ id: name, ...rest, ...what }))
const graph = fc.record(
  {
    tasks: mostly(fc.uniqueArray(task, { maxLength: 4, selector: (each) => each.id })),
    on_conflict: mostly(fc.constantFrom('replace', 'reject', 'ignore')),
    durability: mostly(fc.constantFrom('sync', 'relaxed')),
  },
  { requiredKeys: ['tasks'] },
)

const body: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 8, arbitrary: graph.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  {
    weight: 1,
    arbitrary: fc.record({ id, tool_name: odd, input: odd }).map((value) => JSON.stringify(value)),
  },
  { weight: 1, arbitrary: fc.record({ grace_ms: odd }).map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.uint8Array() },
  { weight: 2, arbitrary: fc.constant('') },
)

/** In a path or a query: encoded, or as it may come from who does not know how to. */
const encoded = fc.oneof(
  { weight: 5, arbitrary: id.map((text) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, '?'))) },
  { weight: 1, arbitrary: fc.stringMatching(/^[!-~]{0,20}$/) },
)
const taskPath = encoded.map((name) => `/tasks/${name}`)
const graphPath = fc.oneof(
  { weight: 5, arbitrary: fc.nat(400).map((key) => `/graphs/g-${key}`) },
  { weight: 1, arbitrary: encoded.map((name) => `/graphs/${name}`) },
)
const handlePath = fc
  .tuple(fc.constantFrom('', 'mcp-', 'mcp-1000000000000'), encoded)
  .map(([a, b]) => `/mcp/tasks/${a}${b}`)
const followed = (paths: fc.Arbitrary<string>, end: string) => paths.map((each) => each + end)
const on = (method: string, paths: fc.Arbitrary<string>, weight = 1) => ({
  weight,
  arbitrary: fc.record({ method: fc.constant(method), path: paths }),
})
const known = fc.oneof(
  on('POST', fc.constant('/tasks'), 8),
  on('GET', taskPath, 4),
  on('GET', fc.constant('/tasks'), 2),
  on('DELETE', taskPath),
  on('POST', followed(taskPath, '/cancel'), 2),
  on('GET', graphPath, 2),
  on('GET', fc.constant('/graphs')),
  on('DELETE', graphPath),
  on('POST', followed(graphPath, '/cancel')),
  on('POST', followed(graphPath, '/retry')),
  on('GET', fc.constantFrom('/health', '/metrics', '/mcp/tools')),
  on('POST', fc.constant('/mcp/call'), 2),
  on('GET', handlePath),
)
const route = fc.oneof(
  { weight: 10, arbitrary: known },
  {
    weight: 1,
    arbitrary: fc.record({
      method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS'),
      path: fc.oneof(
        known.map(({ path }) => path),
        encoded.map((name) => `/${name}`),
      ),
    }),
  },
)

const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'status',
        'type',
        'tool',
        'graph_id',
        'prefix',
        'order',
        'limit',
        'cursor',
        'grace_ms',
        'x',
      ),
      fc.oneof(
        encoded,
        fc.constantFrom('success', 'os', 'noop', 'g-1', 'created', '-created', '1', '7', 'YTE'),
      ),
    ),
    { maxLength: 3 },
  )
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.join('=')).join('&')}`))
const header = fc.stringMatching(/^[ -~]{0,30}$/)
const headers = fc.record(
  {
    'idempotency-key': fc.oneof(fc.constantFrom('k1', 'k2', 'k'.repeat(300)), header),
    'x-trace-id': header,
    'content-type': header,
    accept: header,
  },
  { requiredKeys: [] },
)
const asked: fc.Arbitrary<Asked> = fc
  .record({ route, query, headers, body })
  .map(({ route: { method, path }, query: asks, ...rest }) => ({ ...rest, method, path: path + asks }))

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

const send = (url: string, { method, path: at, headers: named, body: sent }: Asked) =>
  new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const bytes = Buffer.from(sent)
    const outgoing = request(
      {
        agent,
        hostname,
        port,
        method,
        path: at.replaceAll(' ', '%20'),
        headers: { ...named, 'content-length': String(bytes.length) },
        timeout: ANSWER_WITHIN_MS,
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece) => (text += piece))
        response.on('end', () => resolve({ status: response.statusCode!, text }))
        response.on('error', reject)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.on('error', reject)
    outgoing.end(bytes)
  })

const expectAnswer = async (url: string, each: Asked): Promise<void> => {
  try {
    const { status, text } = await send(url, each)
    const what = `${status} ${text.slice(0, 200)}`
    assert.ok(status >= 200 && status < 500, what)
    if (status === 204 || each.method === 'HEAD') return
    assert.notEqual(text, '', what)
    const value: unknown = JSON.parse(text)
    if (status >= 400) assert.equal(typeof (value as { error: unknown }).error, 'string', what)
  } catch (error) {
    throw new Error(`${JSON.stringify(each).slice(0, 2000)}: ${(error as Error).message}`, { cause: error })
  }
}

test(`${REQUESTS} requests of any kind`, { timeout: 60_000 + REQUESTS * 100 }, async (t) => {
  const daemon = await startDaemon({ args: ['-max-concurrency', '50'] })
  t.after(async () => {
    agent.destroy()
    assert.equal(await daemon.stop(), 0)
  })
  const openFiles = (): number => readdirSync(`/proc/${daemon.child.pid}/fd`).length
  await daemon.request('GET', '/health')
  const before = process.platform === 'linux' ? openFiles() : 0
  for (let sent = 0; sent < REQUESTS; sent += PART) {
    const part = fc.sample(asked, { numRuns: Math.min(PART, REQUESTS - sent), seed: SEED + sent })
    const next = part.values()
    const one = async (): Promise<void> => {
      for (const each of next) await expectAnswer(daemon.url, each)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
  }
  assert.deepEqual((await daemon.request('GET', '/health')).body.status, 'ok')
  assert.equal(daemon.child.exitCode, null)
  assert.equal(daemon.stderr, '')
  agent.destroy()
  if (process.platform !== 'linux') return
  // Commands, and connections on their way out, for a moment.
  for (let tries = 0; openFiles() > before + 40 && tries < 100; tries++)
    await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(openFiles() <= before + 40, `${before} descriptors before, ${openFiles()} after`)
})
