/** execgo within another program: the same calls as a client's, and what is a kernel's own. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { createClient } from '../../src/client/index.ts'
import {
  ConflictError,
  type Execgo,
  InvalidError,
  type KernelOptions,
  NotFoundError,
  RefusedError,
  UnavailableError,
  createKernel,
  graph,
} from '../../src/index.ts'
import { SOON_MS, root, startDaemon } from '../support/daemon.ts'
import { stdioServer } from '../support/mcp.ts'
import { freeze, canFreeze, thaw } from '../support/mounts.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)

interface Either {
  readonly execgo: Execgo
  stop(): Promise<unknown>
}

const EITHER: Readonly<Record<string, () => Promise<Either>>> = {
  async 'a kernel'() {
    const kernel = createKernel()
    await kernel.start()
    return { execgo: kernel, stop: () => kernel.stop({ timeoutMs: 0 }) }
  },
  async 'a client'() {
    const daemon = await startDaemon({ args: ['-shutdown-timeout', '0'] })
    return { execgo: createClient({ baseUrl: daemon.url }), stop: () => daemon.stop() }
  },
}

for (const [name, start] of Object.entries(EITHER)) {
  describe(`${name}, by the same calls`, { timeout: SOON_MS * 2 }, () => {
    let execgo: Execgo
    let stop: Either['stop']
    before(async () => ({ execgo, stop } = await start()))
    after(() => stop())

    test('runs a graph, with the results of each tool', async () => {
      const steps = graph()
        .shell('greet', { command: 'echo', args: ['hello'] })
        .noop('end', { message: 'bye' }, { after: ['greet'], priority: 9 })
      const { ok, tasks, graphId } = await execgo.run(steps)
      assert.equal(ok, true)
      assert.equal(tasks.greet.result?.stdout, 'hello\n')
      assert.deepEqual(tasks.end.depends_on, ['greet'])
      const { status, counts } = await execgo.graphs.get(graphId)
      assert.deepEqual([status, counts.success], ['success', 2])
    })

    test('runs more tasks than a wait may name', async () => {
      const tasks = Array.from({ length: 10_001 }, (_, at) => ({ id: `many-${at}`, type: 'noop' }))
      const ran = await execgo.run({ tasks })
      assert.deepEqual([ran.ok, Object.keys(ran.tasks).length], [true, 10_001])
    })

    test('refuses by class, status and message', async () => {
      const refusals = [
        [() => execgo.get('nobody'), NotFoundError, 404, 'task not found: nobody'],
        [() => execgo.graphs.get('g-999999999'), NotFoundError, 404, 'graph not found: g-999999999'],
        [() => execgo.submit({ tasks: [] }), InvalidError, 400, 'task graph is empty'],
        [
          () => execgo.submit({ tasks: [{ id: 'a', type: 'noop', retry: '3' as unknown as number }] }),
          InvalidError,
          400,
          'invalid JSON: tasks[0].retry: expected an integer, got "3"',
        ],
        [() => execgo.wait([]), InvalidError, 400, 'either task_ids or graph_id is required'],
        [() => execgo.cancel('x', { graceMs: -1 }), InvalidError, 400, 'grace_ms must be from 0 to 600000'],
        [
          () => execgo.list({ order: 'up' as 'created' }).next(),
          InvalidError,
          400,
          /^order must be created or/,
        ],
      ] as const
      for (const [ask, Class, status, message] of refusals) {
        await assert.rejects(ask(), (error: RefusedError) => {
          assert.ok(error instanceof Class && error instanceof RefusedError)
          assert.equal(error.status, status)
          if (typeof message === 'string') assert.equal(error.message, message)
          else assert.match(error.message, message)
          return true
        })
      }
    })

    test('a key makes a submission the same one', async () => {
      const graphOf = (id: string) => ({ tasks: [{ id, type: 'noop' }] })
      const first = await execgo.submit(graphOf('once'), { idempotencyKey: 'k' })
      assert.deepEqual(await execgo.submit(graphOf('once'), { idempotencyKey: 'k' }), first)
      await assert.rejects(execgo.submit(graphOf('twice'), { idempotencyKey: 'k' }), { status: 422 })
    })

    test('lists by filters, asks whether and why, deletes', async () => {
      await execgo.run({ tasks: ['list-b', 'list-a'].map((id) => ({ id, type: 'sleep', params: {} })) })
      const ids: string[] = []
      for await (const { id } of execgo.list({ prefix: 'list-', tool: 'sleep', order: '-created' }))
        ids.push(id)
      assert.deepEqual(ids, ['list-a', 'list-b'])
      assert.equal((await execgo.why('list-a')).reason, 'success')
      assert.equal(await execgo.has('list-a'), true)
      await execgo.delete('list-a')
      assert.equal(await execgo.has('list-a'), false)
      assert.equal((await execgo.health()).status, 'ok')
      for await (const { graph_id } of execgo.graphs.list()) assert.match(graph_id, /^g-\d+$/)
    })

    test('waits no longer than it is told, or its signal says', async () => {
      await execgo.submit({ tasks: [{ id: 'long', type: 'sleep', params: { duration_ms: 600_000 } }] })
      const { done, tasks } = await execgo.wait(['long'], { timeoutMs: 50 })
      assert.deepEqual([done, tasks.length], [false, 1])
      const reason = new Error('enough')
      const controller = new AbortController()
      const waiting = execgo.wait(['long'], { signal: controller.signal })
      setTimeout(() => controller.abort(reason), 50)
      await assert.rejects(waiting, reason)
      for (const call of [
        () => execgo.get('long', { signal: controller.signal }),
        () => execgo.submit({ tasks: [{ id: 'no', type: 'noop' }] }, { signal: controller.signal }),
        () => execgo.list({ signal: controller.signal }).next(),
        () => execgo.graphs.list({ signal: controller.signal }).next(),
      ])
        await assert.rejects(call(), reason)
      assert.equal(await execgo.has('no'), false)
      const { graph_id: graphId } = await execgo.get('long')
      for (const call of [
        () => execgo.cancel('long', { signal: controller.signal }),
        () => execgo.graphs.cancel(graphId, { signal: controller.signal }),
        () => execgo.delete('long', { signal: controller.signal }),
      ])
        await assert.rejects(call(), reason)
      // Nor does any of them do it in secret.
      assert.equal((await execgo.wait(['long'], { timeoutMs: 100 })).done, false)
      await execgo.cancel('long', { graceMs: 0 })
      const ended = await execgo.wait(['long'])
      assert.deepEqual([ended.done, ended.tasks[0]?.run_status], [true, 'cancelled'])
      await assert.rejects(execgo.cancel('long'), ConflictError)
    })

    test('cancels, runs again and removes a graph', async () => {
      const { graph_id: graphId = '' } = await execgo.submit({
        tasks: [
          { id: 'first', type: 'sleep', params: { duration_ms: 600_000 } },
          { id: 'second', type: 'noop', depends_on: ['first'] },
        ],
      })
      await execgo.graphs.cancel(graphId, { graceMs: 0 })
      await execgo.wait({ graphId })
      assert.equal((await execgo.graphs.retry(graphId)).status, 'running')
      await execgo.graphs.cancel(graphId)
      await execgo.wait({ graphId })
      await execgo.graphs.delete(graphId)
      await assert.rejects(execgo.graphs.get(graphId), NotFoundError)
    })

    test('watches, each event once and in order, until it is told to end', async () => {
      const { graph_id: graphId = '' } = await execgo.submit({
        tasks: [
          { id: 'seen-1', type: 'noop' },
          { id: 'seen-2', type: 'noop', depends_on: ['seen-1'] },
        ],
      })
      const controller = new AbortController()
      const seen: string[] = []
      const options = { graphId, types: ['task_succeeded' as const], after: 0, signal: controller.signal }
      for await (const { type, task_id } of execgo.events(options)) {
        seen.push(`${type} ${task_id}`)
        if (seen.length === 2) controller.abort()
      }
      assert.deepEqual(seen, ['task_succeeded seen-1', 'task_succeeded seen-2'])

      const again = new AbortController()
      let count = 0
      for await (const _ of execgo.events({ graphId, after: 0, signal: again.signal })) {
        count++
        again.abort()
      }
      assert.equal(count, 1, 'what came together with the first is not told after the end')
    })
  })
}

describe('a kernel', { timeout: SOON_MS * 4 }, () => {
  test('keeps its tasks where it is told to, and takes them up again', async (t) => {
    const dataDir = join(await tempDir(t), 'data')
    const kernel = createKernel({ dataDir })
    await kernel.start()
    await kernel.run({ tasks: [{ id: 'done', type: 'noop' }] })
    await kernel.submit({ tasks: [{ id: 'under-way', type: 'sleep', params: { duration_ms: 600_000 } }] })
    const other = createKernel({ dataDir })
    await assert.rejects(other.start(), /is in use by process/)
    await kernel.stop({ timeoutMs: 0 })
    await kernel.start()
    assert.equal((await kernel.get('done')).status, 'success')
    assert.notEqual((await kernel.get('under-way')).status, 'failed')
    await Promise.all([kernel.stop({ timeoutMs: 0 }), kernel.stop(), kernel.start()])
    assert.equal((await kernel.get('done')).status, 'success')
    await kernel.stop({ timeoutMs: 0 })
    await kernel.stop()
    assert.ok(existsSync(join(dataDir, 'execgo.lmdb')))
  })

  test('ends what waits and watches with it, and answers no more', async () => {
    const kernel = createKernel()
    await assert.rejects(kernel.get('a'), UnavailableError)
    await kernel.stop()
    await kernel.start()
    await kernel.submit({ tasks: [{ id: 'a', type: 'sleep', params: { duration_ms: 600_000 } }] })
    const waiting = assert.rejects(kernel.wait(['a']), UnavailableError)
    const watching = kernel.events().next()
    await kernel.stop({ timeoutMs: 0 })
    await waiting
    assert.deepEqual(await watching, { done: true, value: undefined })
    await assert.rejects(kernel.submit({ tasks: [] }), UnavailableError)
  })

  test('starts and stops in the order in which it is told to', async (t) => {
    const dataDir = await tempDir(t)
    const kernel = createKernel({ dataDir })
    const isRunning = () =>
      kernel.health().then(
        () => true,
        () => false,
      )
    const starting = kernel.start()
    await kernel.stop()
    await starting
    assert.equal(await isRunning(), false)
    const calls = [kernel.start(), kernel.stop(), kernel.start(), kernel.stop(), kernel.start()]
    await Promise.all(calls)
    assert.equal(await isRunning(), true)
    const last = [kernel.stop(), kernel.start(), kernel.stop()]
    await Promise.all(last)
    assert.equal(await isRunning(), false)
    const other = await createKernel({ dataDir }).start()
    await other.stop()
  })

  test('names the option that cannot be used', async () => {
    for (const [options, message] of [
      [
        { maxConcurrency: 0 },
        'createKernel: maxConcurrency: expected a whole number from 1 to 100000, got 0',
      ],
      [{ maxConcurency: 2 }, 'createKernel: there is no option maxConcurency'],
      [
        { limits: { jsonDepth: 'deep' } },
        'createKernel: limits.jsonDepth: expected a whole number from 1 to 1000000000, got "deep"',
      ],
      [
        { shellPolicy: 'none' },
        'createKernel: shellPolicy: expected one of allow-list, open, strict, got "none"',
      ],
      [{ dataDir: '' }, 'createKernel: dataDir: expected a text that is not empty, got ""'],
    ] as [KernelOptions, string][])
      await assert.rejects(createKernel(options).start(), { name: 'TypeError', message })
    await assert.rejects(createKernel({ tools: ['./nowhere.js'] }).start(), /Cannot find module/)
  })

  test('has the bounds and policies that it is given', async () => {
    const kernel = createKernel({
      shellPolicy: 'open',
      limits: { tasksPerGraph: 1, outputBytes: 10, bodyBytes: 300 },
    })
    await kernel.start()
    const { tasks } = await kernel.run(graph().shell('loud', { command: 'seq', args: ['1000'] }))
    assert.equal(tasks.loud.status, 'success')
    assert.ok(tasks.loud.result!.stdout.length < 100)
    const two = { tasks: ['a', 'b'].map((id) => ({ id, type: 'noop' })) }
    await assert.rejects(kernel.submit(two), InvalidError)
    const large = { tasks: [{ id: 'a', type: 'noop', params: { message: 'x'.repeat(300) } }] }
    await assert.rejects(kernel.submit(large), { status: 413 })
    await kernel.stop()
  })

  test('runs tools of a module, checked by their schema, with progress and cancel', async () => {
    const tools = [new URL('../support/own-tools.mjs', import.meta.url)]
    const kernel = createKernel({ tools })
    await kernel.start()
    const own = (id: string, tool_name: string, input: object) => ({ id, type: 'os', tool_name, input })
    const { tasks } = await kernel.run({
      tasks: [
        own('right', 'sum', { numbers: [1, 2], note: 'dropped' }),
        { ...own('wrong', 'sum', { numbers: [1, 'two', 'three'] }), retry: 3 },
        own('later', 'late-sum', { numbers: [3] }),
        own('plain', 'plain', { any: 'thing' }),
      ],
    })
    assert.deepEqual(tasks['right']?.result, { sum: 3, fields: ['numbers'] })
    assert.deepEqual(
      tasks['right']?.progress?.map(({ message }) => message),
      ['1 so far', '3 so far'],
    )
    assert.equal(tasks['wrong']?.error, 'params: numbers.1: a number; numbers.2: a number')
    assert.equal(tasks['wrong']?.runtime?.error?.code, 'invalid_input')
    assert.equal(tasks['wrong']?.runtime?.attempt, 1)
    assert.deepEqual(tasks['later']?.result, { sum: 3 })
    assert.deepEqual(tasks['plain']?.result, { any: 'thing', attempt: 1 })
    await kernel.submit({ tasks: [own('idle', 'until-aborted', {})] })
    for await (const { type } of kernel.events({ taskId: 'idle', after: 0 }))
      if (type === 'task_progressed') break
    await kernel.cancel('idle')
    const [idle] = (await kernel.wait(['idle'])).tasks
    assert.deepEqual([idle?.run_status, idle?.result], ['cancelled', { heard: 'context canceled' }])
    await kernel.stop()
  })

  test('calls MCP servers of a file', async (t) => {
    const mcpConfig = join(await tempDir(t), 'mcp.json')
    await writeFile(mcpConfig, JSON.stringify({ mcpServers: { own: stdioServer({ NAME: 'kernel' }) } }))
    const kernel = createKernel({ mcpConfig })
    await kernel.start()
    const { tasks } = await kernel.run(graph().mcp('call', 'own/echo', { message: 'hello' }))
    assert.equal(tasks.call.error, undefined)
    assert.match(JSON.stringify(tasks.call.result), /kernel: hello/)
    await kernel.stop()
    const wrong = createKernel({ mcpConfig: `${mcpConfig}.none` })
    await assert.rejects(wrong.start(), /EXECGO_MCP_CONFIG: cannot use .*mcp\.json\.none/)
  })

  test('leaves the process as it was: no handlers, nothing on stdout, no folder, no timer', async (t) => {
    const scratch = await tempDir(t)
    const script = `
      import { createKernel } from 'execgo'
      const counts = () => ['SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection'].map((name) => process.listenerCount(name))
      const kernel = createKernel({ tools: ['test/support/own-tools.mjs'] })
      await kernel.start()
      await kernel.run({ tasks: [{ id: 'a', type: 'os', tool_name: 'chatty' }] })
      console.error(JSON.stringify(counts()))
      await kernel.stop()
    `
    const startedAt = Date.now()
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      env: { ...process.env, TMPDIR: scratch },
      timeout: SOON_MS,
    })
    assert.equal(stdout, '')
    assert.deepEqual(stderr.trim().split('\n').sort(), ['[0,0,0,0]', 'printed by a tool'])
    assert.deepEqual(readdirSync(scratch), [])
    assert.ok(Date.now() - startedAt < SOON_MS)
  })

  test('a disk that refuses is told to who asked, and ends no process', async (t) => {
    const folder = await tempDir(t)
    if (!canFreeze(folder)) return t.skip('no file can be frozen here')
    const file = join(folder, 'data', 'execgo.lmdb')
    const script = join(folder, 'host.mjs')
    await writeFile(
      script,
      `
      import { execFileSync } from 'node:child_process'
      import { createKernel } from ${JSON.stringify(join(root, 'dist/src/index.js'))}
      const kernel = createKernel({ dataDir: ${JSON.stringify(join(folder, 'data'))} })
      await kernel.start()
      await kernel.run({ tasks: [{ id: 'a', type: 'noop' }] })
      process.stdin.once('data', async () => {
        const error = await kernel.delete('a').catch((error) => error)
        console.log(error.name, error.status)
        // A rejection that nobody handled would end it meanwhile. Not by exit: LMDB 3.5.6 writes the message of a failed
        // write past its buffer, which the C library may find when threads end.
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), 300)
      })
      console.log('ready')
      `,
    )
    const host = execFile(process.execPath, [script], { timeout: SOON_MS * 2 })
    let printed = ''
    host.stdout?.on('data', (text: string) => {
      printed += text
      if (text.includes('ready')) {
        freeze(file)
        host.stdin?.write('go\n')
      }
    })
    const [, signal] = (await once(host, 'exit')) as [number | null, string | null]
    thaw(file)
    assert.deepEqual([signal, printed], ['SIGKILL', 'ready\nUnavailableError 503\n'])
  })
})

test('the types are a consumer’s: options, schemas, results, and one interface for both', async (t) => {
  const folder = await tempDir(t)
  const { symlink, mkdir, copyFile } = await import('node:fs/promises')
  await mkdir(join(folder, 'node_modules'))
  for (const [name, target] of [
    ['execgo', root],
    ['valibot', join(root, 'node_modules/valibot')],
    ['@types', join(root, 'node_modules/@types')],
    ['undici-types', join(root, 'node_modules/undici-types')],
  ] as const)
    await symlink(target, join(folder, 'node_modules', name))
  await copyFile(join(root, 'test/support/consumer.ts.txt'), join(folder, 'consumer.ts'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2023',
        module: 'nodenext',
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        types: ['node'],
      },
      files: ['consumer.ts'],
    }),
  )
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const problem = await run(process.execPath, [tsc, '-p', folder], { timeout: SOON_MS }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
  assert.equal(problem, '')
})
