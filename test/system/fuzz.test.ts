/**
 * Anything that can be sent over HTTP: never a 5xx, an answer to everything, and the daemon lives. 5,000 requests, or
 * as many as FUZZ_REQUESTS says; FUZZ_SEED takes another way through them.
 */
import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Came, expectAnswer } from '../support/api-document.ts'
import { anonymousMb, childrenOf, descriptorsOf } from '../support/children.ts'
import { startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] || 5000)
const SEED = Number(process.env['FUZZ_SEED'] || 20_261_123)
const AT_ONCE = 50
/** Threads that began, and what each of them keeps open. */
const SPARE_FILES = 40
/** Made at a time. */
const PART = 1000
/** A wait takes 30 s where nobody says how long. */
const ANSWER_WITHIN_MS = 60_000

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

const waits = fc.record(
  {
    task_ids: mostly(fc.array(id, { maxLength: 4 })),
    graph_id: mostly(fc.nat(50).map((key) => `g-${key}`)),
    mode: mostly(fc.constantFrom('all', 'any')),
    // Without one it is 30 s.
    timeout: mostly(fc.constantFrom('0s', '20ms', '100ms')),
  },
  { requiredKeys: ['timeout'] },
)

const body: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 8, arbitrary: graph.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  {
    weight: 1,
    arbitrary: fc.record({ id, tool_name: odd, input: odd }).map((value) => JSON.stringify(value)),
  },
  { weight: 1, arbitrary: fc.record({ grace_ms: odd }).map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: waits.map((value) => JSON.stringify(value)) },
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
/** A wait must not hold up the others for long. */
const wait = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('0s', '1ms', '20ms', '100ms') },
  { weight: 1, arbitrary: fc.constantFrom('', 'x', '-1s', '1h', '5m1s', '9999999999ms') },
)
const waiting = (paths: fc.Arbitrary<string>) =>
  fc.tuple(paths, wait).map(([path, time]) => `${path}?wait=${time}`)
const events = fc
  .tuple(
    fc.constantFrom('', '0', '1', '50', '999999999', 'x', '-1'),
    fc.oneof(fc.constantFrom('', 'g-1', 'g-7', 'x'), encoded),
    fc.constantFrom('', 'task_succeeded', 'task_failed,task_submitted', 'task_begun'),
    encoded,
  )
  .map(
    ([last, graph, type, task]) =>
      `/events?last_event_id=${last}&graph_id=${graph}&type=${type}${task.length > 3 ? '' : `&task_id=${task}`}`,
  )
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
  on('GET', waiting(taskPath), 2),
  on('GET', waiting(graphPath)),
  on('POST', fc.constant('/tasks/wait'), 2),
  on('GET', followed(taskPath, '/why'), 2),
  on('GET', events),
  on('GET', fc.constantFrom('/health', '/metrics', '/metrics/prometheus', '/mcp/tools', '/openapi.json')),
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
  .map(({ route: { method, path }, query: asks, ...rest }) => ({
    ...rest,
    method,
    path: path + (path.includes('?') ? asks.replace('?', '&') : asks),
  }))

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

const send = (url: string, { method, path: at, headers: named, body: sent }: Asked) =>
  new Promise<Came>((resolve, reject) => {
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
        const type = response.headers['content-type'] ?? ''
        const status = response.statusCode!
        const isStream = type === 'text/event-stream'
        let text = ''
        response.setEncoding('utf8').on('data', (piece) => {
          text += piece
          if (!isStream) return
          // It has no end: it is left as soon as it has begun.
          resolve({ status, type, text: null })
          outgoing.destroy()
        })
        response.on('end', () => resolve({ status, type, text }))
        response.on('error', reject)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.on('error', reject)
    outgoing.end(bytes)
  })

const sendAndCheck = async (url: string, each: Asked): Promise<void> => {
  try {
    const came = await send(url, each)
    assert.ok(came.status >= 200 && came.status < 500, `${came.status} ${came.text}`)
    expectAnswer(each.method, each.path, came)
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
  const pid = daemon.child.pid!
  const held =
    process.platform === 'linux' ? () => [descriptorsOf(pid), childrenOf(pid).length] : () => [0, 0]
  const memoryMb = process.platform === 'linux' ? () => anonymousMb(pid) : () => 0
  await daemon.request('GET', '/health')
  const before = held()
  const memory = [memoryMb()]
  for (let sent = 0; sent < REQUESTS; sent += PART) {
    const part = fc.sample(asked, { numRuns: Math.min(PART, REQUESTS - sent), seed: SEED + sent })
    const next = part.values()
    const one = async (): Promise<void> => {
      for (const each of next) await sendAndCheck(daemon.url, each)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
    if ((sent + PART) % (REQUESTS / 5) === 0) memory.push(memoryMb())
  }
  assert.deepEqual((await daemon.request('GET', '/health')).body.status, 'ok')
  assert.equal(daemon.child.exitCode, null)
  assert.equal(daemon.stderr, '')
  agent.destroy()
  t.diagnostic(`RssAnon in MB: ${memory.join(', ')}`)
  // Commands, and connections on their way out, for a moment.
  await eventually('descriptors and processes are let go of', () => {
    const [files, children] = held()
    return files! <= before[0]! + SPARE_FILES && children! <= before[1]!
  })
  // What is kept of the tasks is some hundred bytes each.
  assert.ok(memory.at(-1)! <= memory[0]! + 150 + REQUESTS / 1000, `${memory}`)
})
