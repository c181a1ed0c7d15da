/** What the commands say to programs: JSON on stdout, everything else on stderr, and exit codes. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { type CliOptions, type Ended, cli, startCli } from '../../support/cli.ts'
import { type TestDaemon, startDaemon } from '../../support/daemon.ts'

describe('against a daemon', () => {
  let daemon: TestDaemon
  let folder: string
  before(async () => {
    daemon = await startDaemon({ env: { EXECGO_GRACE_MS: '300' } })
    folder = await mkdtemp(join(tmpdir(), 'execgo-cli-'))
  })
  after(async () => {
    await daemon.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const execgo = (words: readonly string[], options: CliOptions = {}): Promise<Ended> =>
    cli(words, { cwd: folder, ...options, env: { EXECGO_URL: daemon.url, ...options.env } })

  /** What it put out, where it went well. */
  const json = async (words: readonly string[], options?: CliOptions): Promise<any> => {
    const { code, stdout, stderr } = await execgo(words, options)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }

  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text)
    return name
  }

  test('submit takes JSON, YAML and stdin; what goes to stdout is the answer alone', async () => {
    const asJson = await file('one.json', '{"tasks":[{"id":"json-1","type":"noop"}]}')
    const { code, stdout, stderr } = await execgo(['submit', asJson])
    assert.equal(code, 0)
    assert.equal(stderr, '')
    const { accepted, task_ids, graph_id } = JSON.parse(stdout)
    assert.deepEqual([accepted, task_ids], [1, ['json-1']])
    assert.match(graph_id, /^g-\d+$/)

    const asYaml = await file('two.yaml', 'tasks:\n  - id: yaml-1\n    type: noop\n')
    assert.deepEqual((await json(['submit', asYaml])).task_ids, ['yaml-1'])
    const input = '{"tasks":[{"id":"stdin-1","type":"noop"}]}'
    assert.deepEqual((await json(['submit', '-'], { input })).task_ids, ['stdin-1'])
  })

  test('submit --wait ends when the graph is over, with 0 or 1', async () => {
    const good = await json(['submit', '-', '--wait'], {
      input: '{"tasks":[{"id":"good","type":"sleep","params":{"duration_ms":50}}]}',
    })
    assert.equal(good.done, true)
    assert.equal(good.status, 'success')
    assert.equal(good.tasks[0].result.slept_ms, 50)

    const input =
      '{"tasks":[{"id":"bad","type":"shell","params":{"script":"exit 3"}},{"id":"then","type":"noop","depends_on":["bad"]}]}'
    const bad = await execgo(['submit', '-', '--wait'], { input })
    assert.equal(bad.code, 1)
    assert.equal(JSON.parse(bad.stdout).status, 'failed')
    assert.equal(bad.stderr, 'execgo: 2 tasks did not succeed; execgo get bad shows more\n')
  })

  test('a failure that is allowed, and a task that was not needed, are no failure', async () => {
    const input = JSON.stringify({
      tasks: [
        { id: 'may', type: 'shell', params: { script: 'exit 1' }, allow_failure: true },
        { id: 'fine', type: 'noop' },
        { id: 'unneeded', type: 'noop', depends_on: ['fine'], run_if: 'failure' },
      ],
    })
    assert.equal((await json(['submit', '-', '-w'], { input })).status, 'success')
    await json(['wait', 'may', 'unneeded'])
  })

  test('--on-conflict, --durability and --idempotency-key reach the daemon', async () => {
    const input = '{"tasks":[{"id":"again","type":"noop"}]}'
    const first = await json(['submit', '-', '--idempotency-key', 'k1', '--durability', 'relaxed'], { input })
    assert.deepEqual(
      await json(['submit', '-', '--idempotency-key', 'k1', '--durability', 'relaxed'], { input }),
      first,
    )
    const { code, stderr } = await execgo(['submit', '-', '--on-conflict', 'reject'], { input })
    assert.equal(code, 2)
    assert.match(stderr, /again/)
    // Nothing new is in it: it waits for the task itself.
    const { tasks } = await json(['submit', '-', '--on-conflict=ignore', '--wait'], { input })
    assert.deepEqual(
      tasks.map(({ id }: any) => id),
      ['again'],
    )
  })

  test('a graph that is refused exits with 2 and says why', async () => {
    const { code, stdout, stderr } = await execgo(['submit', '-'], {
      input: '{"tasks":[{"id":"a","type":"noop","depends_on":["b"]}]}',
    })
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /^execgo: .*task "a" depends on unknown task "b"/)
    assert.equal((await execgo(['submit', 'nowhere.json'])).code, 2)
  })

  test('get shows one task as it is, several as an array, and goes on after one that is not there', async () => {
    await daemon.submit([
      { id: 'g 1', type: 'noop', params: { message: 'hi' } },
      { id: 'g/2', type: 'noop' },
    ])
    await daemon.settled('g 1')
    await daemon.settled('g/2')
    assert.deepEqual(await json(['get', 'g 1']), await daemon.get('g 1'))
    assert.deepEqual(
      (await json(['get', 'g/2', 'g 1'])).map(({ id }: any) => id),
      ['g/2', 'g 1'],
    )
    const { code, stdout, stderr } = await execgo(['get', 'g 1', 'nobody'])
    assert.equal(code, 1)
    assert.equal(JSON.parse(stdout).length, 1)
    assert.equal(stderr, 'execgo: task not found: nobody\n')
    const asYaml = await execgo(['get', 'g 1', '-o', 'yaml'])
    assert.deepEqual(parse(asYaml.stdout), await daemon.get('g 1'))
  })

  test('list filters, pages and streams', async () => {
    const ids = Array.from({ length: 1500 }, (_, at) => `many-${String(at).padStart(4, '0')}`)
    await daemon.submit(ids.map((id) => ({ id, type: 'noop' })))
    const of = async (...words: string[]): Promise<string[]> =>
      (await json(['list', '--prefix', 'many-', ...words])).map(({ id }: any) => id)
    assert.deepEqual(await of(), ids)
    assert.deepEqual(await of('--order', '-created', '--limit', '3'), ids.slice(-3).reverse())
    assert.equal((await of('-n', '1200')).length, 1200)
    assert.deepEqual(await of('--status', 'skipped'), [])
    assert.equal((await execgo(['list', '--prefix', 'none'])).stdout, '[]\n')
    const { stdout } = await execgo(['list', '--prefix', 'many-', '-n', '2', '-o', 'yaml'])
    assert.deepEqual(
      parse(stdout).map(({ id }: any) => id),
      ids.slice(0, 2),
    )
    assert.equal((await execgo(['list', '--prefix', 'none', '-o', 'yaml'])).stdout, '[]\n')
    // Page by page.
    const paged: string[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const words: string[] = [
        'list',
        '--prefix',
        'many-',
        '-n',
        '700',
        ...(cursor === '' ? [] : ['--cursor', cursor]),
      ]
      const { stdout: page, stderr } = await execgo(words)
      paged.push(...JSON.parse(page).map(({ id }: any) => id))
      cursor = /^execgo: more with --cursor (\S+)\n$/.exec(stderr)?.[1]
    }
    assert.deepEqual(paged, ids)
    // Each has a line of its own.
    const lines = (await execgo(['list', '--prefix', 'many-'])).stdout.trimEnd().split('\n')
    assert.equal(lines.length, ids.length + 2)
    // Ids grow with their numbers: those of a later page are as whole as the first.
    await daemon.submit(ids.map((_, at) => ({ id: `grow-${at}`, type: 'noop' })))
    const table = (await execgo(['list', '--prefix', 'grow-', '-o', 'table'])).stdout
    assert.match(table, /^grow-9 +success/m)
    assert.match(table, /^grow-1499 +success/m)
    assert.equal((await execgo(['list', '--type', 'nonsense'])).code, 2)
  })

  test('wait says whether all is over in time, and how it ended', async () => {
    await daemon.submit([
      { id: 'w1', type: 'sleep', params: { duration_ms: 60_000 } },
      { id: 'w2', type: 'noop' },
    ])
    const late = await execgo(['wait', 'w1', 'w2', '--timeout', '100ms'])
    assert.equal(late.code, 1)
    assert.equal(JSON.parse(late.stdout).done, false)
    assert.equal(late.stderr, 'execgo: not over in time: one task\n')
    const any = await json(['wait', 'w1', 'w2', '--any'])
    assert.deepEqual(
      any.tasks.map(({ id }: any) => id),
      ['w2'],
    )
    assert.equal((await json(['cancel', 'w1'])).id, 'w1')
    assert.equal((await execgo(['wait', 'w1'])).code, 1)
    assert.equal((await execgo(['cancel', 'w1'])).code, 2)
  })

  test('graphs are waited for, cancelled, run again and removed by --graph', async () => {
    const input = '{"tasks":[{"id":"long","type":"sleep","params":{"duration_ms":600000}}]}'
    const { graph_id: id } = await json(['submit', '-'], { input })
    assert.equal((await execgo(['delete', '--graph', id])).code, 2)
    await json(['cancel', '--graph', id, '--grace', '0ms'])
    const waited = await execgo(['wait', '--graph', id])
    assert.equal(waited.code, 1)
    assert.equal(JSON.parse(waited.stdout).tasks[0].run_status, 'cancelled')
    assert.equal((await json(['retry', id])).status, 'running')
    await json(['cancel', '-g', id])
    await execgo(['wait', '-g', id])
    assert.equal((await json(['graph', id])).counts.failed, 1)
    assert.ok((await json(['graph'])).some(({ graph_id }: any) => graph_id === id))
    assert.equal((await json(['graph', '-n', '1'])).length, 1)
    assert.deepEqual(await json(['delete', '--graph', id]), { deleted: [id] })
    assert.equal((await execgo(['graph', id])).code, 1)
    const hint = await execgo(['get', id])
    assert.match(hint.stderr, new RegExp(`task not found: ${id}\n.*--graph ${id}`))
    const { graph_id: done } = await json(['submit', '-'], {
      input: '{"tasks":[{"id":"done","type":"noop"}]}',
    })
    await json(['wait', '-g', done])
    const again = await execgo(['retry', done])
    assert.deepEqual(
      [again.code, again.stderr],
      [0, `execgo: nothing of ${done} failed or was skipped: it stays as it is\n`],
    )
    assert.equal((await execgo(['wait'])).code, 2)
    assert.equal((await execgo(['wait', 'a', '--graph', 'g-1'])).code, 2)
  })

  test('delete removes records, and why explains', async () => {
    await daemon.submit([
      { id: 'y1', type: 'shell', params: { script: 'exit 1' } },
      { id: 'y2', type: 'noop', depends_on: ['y1'] },
    ])
    await daemon.settled('y2')
    const why = await json(['why', 'y2'])
    assert.equal(why.root.id, 'y1')
    assert.deepEqual(await json(['rm', 'y1', 'y2']), { deleted: ['y1', 'y2'] })
    assert.equal((await execgo(['why', 'y2'])).code, 1)
  })

  test('events ends with the history, and -f goes on until it is interrupted', async () => {
    const { graph_id: id } = (await daemon.request('POST', '/tasks', { tasks: [{ id: 'e1', type: 'noop' }] }))
      .body
    await daemon.settled('e1')
    const eventsOf = async (...words: string[]): Promise<any[]> => {
      const { code, stdout, stderr } = await execgo(['events', ...words])
      assert.equal(code, 0, stderr)
      return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
    }
    const types = (events: readonly any[]): string[] => events.map(({ type }) => type)
    const all = await eventsOf('--graph', id)
    assert.deepEqual(types(all), ['task_submitted', 'task_started', 'task_succeeded'])
    assert.deepEqual(types(await eventsOf('--task', 'e1', '--last', '1')), ['task_succeeded'])
    assert.deepEqual(types(await eventsOf('--task', 'e1', '--type', 'started', 'failed')), ['task_started'])
    assert.deepEqual(types(await eventsOf('-g', id, '--after', String(all[0].id))), [
      'task_started',
      'task_succeeded',
    ])
    assert.deepEqual(await eventsOf('--task', 'nobody'), [])

    const follower = startCli(['events', '-f', '--task', 'e2', '--last', '10'], {
      env: { EXECGO_URL: daemon.url },
    })
    // Submitted again and again, as nobody knows when it begins to watch.
    const submitting = setInterval(() => void daemon.submit([{ id: 'e2', type: 'noop' }]), 200)
    await follower.says(/task_succeeded(.|\n)*task_succeeded/)
    clearInterval(submitting)
    follower.child.kill('SIGINT')
    const { code, stderr } = await follower.ended
    assert.deepEqual([code, stderr], [130, ''])
  })

  test('a reader that has seen enough is no error', async () => {
    const lister = startCli(['list'], { env: { EXECGO_URL: daemon.url } })
    await lister.says(/many-/)
    lister.child.stdout!.destroy()
    const { code, stderr } = await lister.ended
    assert.deepEqual([code, stderr], [0, ''])
  })

  test('health and openapi', async () => {
    assert.equal((await json(['health'])).status, 'ok')
    assert.equal((await json(['openapi'])).openapi, '3.1.0')
    assert.equal(parse((await execgo(['openapi', '-o', 'yaml'])).stdout).openapi, '3.1.0')
  })

  test('bench measures, and leaves nothing', async () => {
    const { stdout: before } = await execgo(['graph', '-n', '10000'])
    const figures = await json(['bench', '--seconds', '1', '--connections', '2', '--tasks', '3'])
    assert.ok(figures.graphs > 0)
    assert.equal(figures.tasks, figures.graphs * 3)
    assert.ok(figures.requests >= figures.graphs * 2)
    const { submit, over, get } = figures.latency_ms
    for (const { p50, p90, p99, max } of [submit, over, get])
      assert.ok(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= max)
    assert.deepEqual(await json(['list', '--prefix', 'bench-']), [])
    const graphs = (text: string): string[] => JSON.parse(text).map(({ graph_id }: any) => graph_id)
    assert.deepEqual(graphs((await execgo(['graph', '-n', '10000'])).stdout), graphs(before))

    const cut = startCli(['bench', '--seconds', '60', '-c', '2'], { env: { EXECGO_URL: daemon.url } })
    for (;;) {
      const { body } = await daemon.request('GET', '/tasks?prefix=bench-&limit=1')
      if (body.length > 0) break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    cut.child.kill('SIGINT')
    assert.equal((await cut.ended).code, 130)
    assert.deepEqual(await json(['list', '--prefix', 'bench-']), [])
  })
})
