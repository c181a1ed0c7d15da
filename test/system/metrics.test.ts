/** Prometheus' view of the daemon. @see contract B6 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fetch } from '../support/checked-fetch.ts'
import { root, startDaemon, type TestDaemon } from '../support/daemon.ts'

const HAS_PROMTOOL = spawnSync('promtool', ['--version']).status === 0

const running = async (t: { after(end: () => Promise<unknown>): void }): Promise<TestDaemon> => {
  const daemon = await startDaemon({ args: ['-max-concurrency', '3', '-shutdown-timeout', '0'] })
  t.after(() => daemon.stop())
  return daemon
}

/** The samples by their names with labels. A line of any other form fails. */
const samplesIn = (text: string): Map<string, number> => {
  const samples = new Map<string, number>()
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('#')) continue
    const match = /^(execgo_[a-z0-9_]+(?:\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\})?) (\S+)$/.exec(line)
    assert.ok(match !== null && Number.isFinite(Number(match[2])), line)
    assert.ok(!samples.has(match[1]!), `twice: ${line}`)
    samples.set(match[1]!, Number(match[2]))
  }
  return samples
}

const scrape = async ({ url }: TestDaemon, accept = 'text/plain'): Promise<[string, string | null]> => {
  const response = await fetch(`${url}/metrics`, { headers: { accept } })
  return [await response.text(), response.headers.get('content-type')]
}

test('JSON stays what it was for whoever does not prefer text', async (t) => {
  const daemon = await running(t)
  for (const accept of ['*/*', 'application/json', 'application/json, text/plain, */*']) {
    const [text, type] = await scrape(daemon, accept)
    assert.equal(type, 'application/json')
    assert.deepEqual(JSON.parse(text), {
      tasks_total: 0,
      tasks_running: 0,
      tasks_succeeded: 0,
      tasks_failed: 0,
      by_type: {},
    })
  }
})

test('counts, times and gauges are those of what ran', async (t) => {
  const daemon = await running(t)
  await daemon.submit([
    ...Array.from({ length: 20 }, (_, n) => ({ id: `n${n}`, type: 'noop' })),
    { id: 'sh', type: 'shell', params: { command: 'echo', args: ['x'] } },
    { id: 'bad', type: 'shell', params: { command: 'nope' } },
    { id: 'skipped', type: 'noop', depends_on: ['bad'] },
    { id: 'made-up', type: 'os', tool_name: 'made"up\n' },
  ])
  await daemon.allSettled()
  await daemon.submit(
    Array.from({ length: 5 }, (_, n) => ({ id: `s${n}`, type: 'sleep', params: { duration_ms: 600_000 } })),
  )
  await daemon.until('s2', (task) => task.status === 'running')
  const [text, type] = await scrape(daemon)
  assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8')
  const samples = samplesIn(text)
  const expected = {
    'execgo_tasks_accepted_total{type="os"}': 29,
    'execgo_tasks_ended_total{status="success"}': 21,
    'execgo_tasks_ended_total{status="failed"}': 3,
    'execgo_attempts_total{tool="noop",outcome="success"}': 20,
    'execgo_attempts_total{tool="shell",outcome="failed"}': 1,
    'execgo_attempts_total{tool="other",outcome="failed"}': 1,
    'execgo_queue_wait_seconds_count{tool="noop"}': 20,
    'execgo_run_seconds_count{tool="shell"}': 2,
    'execgo_run_seconds_bucket{tool="noop",le="+Inf"}': 20,
    'execgo_commit_seconds_count{tool="noop"}': 21,
    execgo_process_start_seconds_count: 1,
    'execgo_process_start_seconds_bucket{le="+Inf"}': 1,
    execgo_slots: 3,
    execgo_slots_in_use: 3,
    execgo_tasks_ready: 2,
    execgo_tasks_unfinished: 5,
    execgo_tasks_unsaved: 0,
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(samples.get(name), value, name)
  for (const name of [
    'execgo_run_seconds_sum{tool="shell"}',
    'execgo_process_start_seconds_sum',
    'execgo_store_file_bytes{file="execgo.lmdb"}',
    'execgo_store_disk_free_bytes',
    'execgo_process_resident_memory_bytes',
    'execgo_process_cpu_seconds_total',
    'execgo_event_loop_busy_seconds_total',
  ])
    assert.ok(samples.get(name)! > 0, name)
  assert.ok(samples.has('execgo_event_loop_delay_p99_seconds'))
  const plain = await (await fetch(`${daemon.url}/metrics/prometheus`)).text()
  assert.deepEqual([...samplesIn(plain).keys()], [...samples.keys()])
})

test('OpenMetrics has its own names and end', async (t) => {
  const daemon = await running(t)
  const [text, type] = await scrape(daemon, 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5')
  assert.equal(type, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  assert.match(text, /^# TYPE execgo_tasks_ended counter$/m)
  assert.match(text, /^execgo_tasks_ended_total\{/m)
  assert.ok(text.endsWith('\n# EOF\n'))
})

test('promtool has nothing to say against it', { skip: !HAS_PROMTOOL && 'no promtool here' }, async (t) => {
  const daemon = await running(t)
  await daemon.submit([{ id: 'a', type: 'noop' }])
  await daemon.settled('a')
  const [text] = await scrape(daemon)
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  assert.deepEqual([checked.status, checked.stdout, checked.stderr], [0, '', ''])
})

test('the examples ask for metrics that there are', async (t) => {
  const daemon = await running(t)
  await daemon.submit([{ id: 'a', type: 'noop' }])
  await daemon.settled('a')
  const [text] = await scrape(daemon)
  const names = new Set([...samplesIn(text).keys()].map((name) => name.replace(/\{.*/, '')))
  for (const file of ['prometheus/alerts.yml', 'grafana/dashboard.json']) {
    const example = await readFile(join(root, 'examples', file), 'utf8')
    const asked = [...example.matchAll(/\bexecgo_[a-z0-9_]+/g)].map(([name]) => name)
    assert.ok(asked.length > 5)
    for (const name of asked) assert.ok(names.has(name), `${file}: ${name}`)
  }
})

test('the pages tell of every metric, and of no other', async (t) => {
  const daemon = await running(t)
  const [text] = await scrape(daemon)
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!).sort()
  for (const page of ['docs/en/observability.md', 'docs/zh/observability.md']) {
    const rows = (await readFile(join(root, page), 'utf8'))
      .split('\n')
      .filter((line) => /^\| `execgo_/.test(line))
    const told = rows.flatMap((row) =>
      [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => {
        // `…_heap_bytes` beside `execgo_process_resident_memory_bytes`; `{p50,p99}_` is two, `{tool}` a label.
        const whole = name!.replace(/^…/, 'execgo_process')
        const some = /^(.*)\{([^}]*)\}(_.*)$/.exec(whole)
        if (some === null) return [whole.replace(/\{.*/, '')]
        return some[2]!.split(',').map((each) => some[1]! + each + some[3]!)
      }),
    )
    assert.deepEqual(told.sort(), names, page)
  }
})

test('promtool takes the examples', { skip: !HAS_PROMTOOL && 'no promtool here' }, () => {
  const checked = spawnSync('promtool', ['check', 'config', 'examples/prometheus/prometheus.yml'], {
    cwd: root,
  })
  assert.equal(checked.status, 0, String(checked.stderr))
})

test('each alert tells of its trouble, and of nothing else', {
  skip: !HAS_PROMTOOL && 'no promtool here',
}, async () => {
  const checked = spawnSync('promtool', ['test', 'rules', 'test/support/alerts.yml'], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(checked.status, 0, checked.stdout + checked.stderr)
  const names = async (path: string, key: RegExp): Promise<string[]> =>
    [...(await readFile(join(root, path), 'utf8')).matchAll(key)].map(([, name]) => name!)
  assert.deepEqual(
    await names('test/support/alerts.yml', /alertname: (\w+)/g),
    await names('examples/prometheus/alerts.yml', /alert: (\w+)/g),
  )
})
