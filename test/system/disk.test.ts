/** Disks that are full, read-only, damaged or somebody else's. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { open as openLmdb } from 'lmdb'
import { type DaemonOptions, SOON_MS, spawnDaemon, type TestDaemon } from '../support/daemon.ts'
import { canFreeze, freeze, remount, smallDisk, thaw } from '../support/mounts.ts'

const tempDir = async (t: TestContext): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'execgo-disk-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A daemon that does not outlive its test. */
const spawn = async (t: TestContext, options: DaemonOptions): Promise<TestDaemon> => {
  const daemon = await spawnDaemon(options)
  t.after(() => daemon.crash())
  return daemon
}

const start = async (t: TestContext, options: DaemonOptions): Promise<TestDaemon> =>
  (await spawn(t, options)).listening()

/** What a start came to: an exit code or a signal, or that it listens. */
const endedOrListening = async (daemon: TestDaemon): Promise<number | string> =>
  Promise.race([
    daemon.exited,
    once(daemon.child, 'listening').then(() => 'it listens'),
    sleep(SOON_MS, 'it neither ends nor listens', { ref: false }),
  ])

/** Polls until `isSo`, for what comes in a moment. */
const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + SOON_MS; !(await isSo()); await sleep(50))
    if (Date.now() > end) throw new Error(`it never came: ${what}`)
}

const noops = (prefix: string, count: number, message = ''): object[] =>
  Array.from({ length: count }, (_, at) => ({ id: `${prefix}-${at}`, type: 'noop', params: { message } }))

/** The start must fail with 1; resolves to what it said. */
const refusedStart = async (t: TestContext, dataDir: string): Promise<string> => {
  const daemon = await spawn(t, { dataDir })
  const code = await endedOrListening(daemon)
  assert.equal(code, 1, `${code}: ${daemon.stderr}${daemon.logLines.join('\n')}`)
  assert.match(daemon.stderr, /^execgo: .*\n$/)
  return daemon.stderr
}

test('a full disk refuses with 503 and loses nothing; room again is enough', async (t) => {
  const disk = smallDisk(t, 16)
  if (disk === null) return t.skip('this user may not mount a file system')
  const ballast = join(disk, 'ballast')
  await writeFile(ballast, Buffer.alloc(6 * 1024 * 1024))
  const dataDir = join(disk, 'data')
  const daemon = await start(t, { dataDir, env: { EXECGO_STATE_JSON: 'off' } })
  const accepted: string[] = []
  let refusal = ''
  for (let round = 0; refusal === ''; round++) {
    const tasks = noops(`a${round}`, 4, 'x'.repeat(30_000))
    const { status, body } = await daemon.request('POST', '/tasks', { tasks })
    if (status === 202) accepted.push(...body.task_ids)
    else {
      assert.equal(status, 503, JSON.stringify(body))
      refusal = body.error
    }
    assert.ok(round < 1000, 'it never refuses')
  }
  assert.match(refusal, /no space|ENOSPC/i)
  assert.ok(accepted.length > 0)
  for (const id of accepted) assert.equal((await daemon.get(id)).id, id)
  const listed = await daemon.request('GET', '/tasks')
  assert.equal(listed.status, 200)
  assert.deepEqual(
    listed.body.map(({ id }: { id: string }) => id),
    accepted,
  )
  await rm(ballast)
  await until('a submission is accepted again', async () => {
    const { status, body } = await daemon.request('POST', '/tasks', { tasks: noops('b', 1) })
    if (status !== 202) assert.equal(status, 503)
    else accepted.push(...body.task_ids)
    return status === 202
  })
  for (const task of await daemon.allSettled()) assert.equal(task.status, 'success')
  await daemon.crash()
  const again = await start(t, { dataDir, env: { EXECGO_STATE_JSON: 'off' } })
  const tasks = await again.allSettled()
  assert.deepEqual(
    tasks.map(({ id }) => id),
    accepted,
  )
  await again.stop()
})

test('a crash while the disk is full loses nothing', async (t) => {
  const disk = smallDisk(t, 12)
  if (disk === null) return t.skip('this user may not mount a file system')
  const dataDir = join(disk, 'data')
  const daemon = await start(t, { dataDir, env: { EXECGO_STATE_JSON: 'off' } })
  const accepted = await daemon.submit(noops('first', 20))
  await daemon.allSettled()
  for (let round = 0; ; round++) {
    const tasks = noops(`a${round}`, 2, 'x'.repeat(30_000))
    const { status, body } = await daemon.request('POST', '/tasks', { tasks })
    if (status !== 202) break
    accepted.push(...body.task_ids)
  }
  await daemon.crash()
  const full = await spawn(t, { dataDir, env: { EXECGO_STATE_JSON: 'off' } })
  const hasStarted = await full.listening().then(
    () => true,
    () => false,
  )
  if (hasStarted) {
    const { body } = await full.request('GET', '/tasks')
    assert.deepEqual(
      body.map(({ id }: { id: string }) => id),
      accepted,
    )
    await full.crash()
  } else {
    assert.equal(await full.exited, 1, full.stderr)
    assert.match(full.stderr, /no space|ENOSPC/i)
  }
  // Elsewhere there is room.
  const roomy = await tempDir(t)
  for (const name of await readdir(dataDir))
    if (name !== 'execgo.lock') await copyFile(join(dataDir, name), join(roomy, name))
  const again = await start(t, { dataDir: roomy })
  const tasks = await again.allSettled()
  assert.deepEqual(
    tasks.map(({ id }) => id),
    accepted,
  )
  await again.stop()
})

test('a directory that becomes read-only under way refuses with 503, and is used again when it may be', async (t) => {
  const dataDir = await tempDir(t)
  if (!canFreeze(dataDir))
    return t.skip('this user, or the file system of the temporary folder, knows no chattr +i')
  const daemon = await start(t, { dataDir, env: { EXECGO_STATE_JSON: '1' } })
  const accepted = await daemon.submit(noops('a', 10))
  await daemon.allSettled()
  // Not LMDB's lock: it is mapped for writing, and the system ends who writes into a page of a file that may not change.
  const names = (await readdir(dataDir)).filter((name) => /^execgo\.(lmdb|journal\.\d)$/.test(name))
  const frozen = [...names.map((name) => join(dataDir, name)), dataDir]
  freeze(...frozen)
  try {
    const { status, body } = await daemon.request('POST', '/tasks', { tasks: noops('b', 3) })
    assert.equal(status, 503, JSON.stringify(body))
    assert.match(body.error, /the store cannot write: /)
    const listed = await daemon.request('GET', '/tasks')
    assert.deepEqual(
      listed.body.map(({ id }: { id: string }) => id),
      accepted,
    )
  } finally {
    thaw(...frozen)
  }
  accepted.push(...(await daemon.submit(noops('c', 3))))
  await daemon.allSettled()
  await daemon.crash()
  const again = await start(t, { dataDir })
  assert.deepEqual(
    (await again.allSettled()).map(({ id }) => id),
    accepted,
  )
  await again.stop()
})

test('a read-only directory at the start is refused, by name', async (t) => {
  const disk = smallDisk(t, 4)
  if (disk === null) return t.skip('this user may not mount a file system')
  const dataDir = join(disk, 'data')
  await mkdir(dataDir)
  remount(disk, 'ro')
  const said = await refusedStart(t, dataDir)
  assert.ok(said.includes(dataDir), said)
  assert.match(said, /read-only|EROFS/i)
})

test('a second daemon on one directory is refused and names the first; after a crash it starts at once', async (t) => {
  const dataDir = await tempDir(t)
  const first = await start(t, { dataDir })
  const ids = await first.submit(noops('a', 5))
  const said = await refusedStart(t, dataDir)
  assert.match(said, new RegExp(`\\b${first.child.pid}\\b`))
  assert.ok(said.includes(dataDir), said)
  assert.equal((await first.get('a-0')).id, 'a-0')
  await first.crash()
  const second = await start(t, { dataDir })
  assert.deepEqual(
    (await second.allSettled()).map(({ id }) => id),
    ids,
  )
  assert.equal(await second.stop(), 0)
  assert.deepEqual(
    (await readdir(dataDir)).filter((name) => name.includes('execgo.lock')),
    [],
  )
})

/** A directory with finished tasks, and what they answered. */
const usedDirectory = async (t: TestContext, count: number): Promise<{ dataDir: string; tasks: any[] }> => {
  const dataDir = await tempDir(t)
  const daemon = await start(t, { dataDir })
  await daemon.submit(noops('a', count, 'x'.repeat(200)))
  const tasks = await daemon.allSettled()
  assert.equal(await daemon.stop(), 0)
  return { dataDir, tasks }
}

test('a database of a newer format is refused', async (t) => {
  const { dataDir } = await usedDirectory(t, 5)
  const path = join(dataDir, 'execgo.lmdb')
  const database = openLmdb({ path, noSubdir: true, maxDbs: 16 } as Parameters<typeof openLmdb>[0])
  const meta = database.openDB<unknown, string>({ name: 'meta', encoding: 'json' })
  await meta.put('format', 99)
  await database.close()
  const said = await refusedStart(t, dataDir)
  assert.ok(said.includes(path), said)
  assert.match(said, /format 99, this version reads \d+/)
})

test('a damaged database is refused, by name, and left as it is', async (t) => {
  const { dataDir } = await usedDirectory(t, 3000)
  const path = join(dataDir, 'execgo.lmdb')
  const whole = await readFile(path)
  const refused = async (what: string): Promise<void> => {
    const before = await readFile(path)
    const said = await refusedStart(t, dataDir)
    assert.ok(said.includes(path), `${what}: ${said}`)
    assert.match(said, /damaged/, what)
    assert.ok(before.equals(await readFile(path)), `${what}: the file was changed`)
    await writeFile(path, whole)
  }
  const file = await open(path, 'r+')
  await file.write(randomBytes(4096), 0, 4096, 0)
  await file.close()
  await refused('the first page')
  await truncate(path, 0)
  await refused('an empty file')
  await truncate(path, 4096)
  await refused('one page')
  const used = whole.findLastIndex((byte) => byte !== 0) + 1
  await truncate(path, Math.floor(used / 2))
  await refused('half of it')
  await writeFile(path, Buffer.alloc(whole.length))
  await refused('zeros')
  await writeFile(path, randomBytes(whole.length))
  await refused('noise')
})

test('any page damaged: the start is refused, or all is there but the texts of that page', async (t) => {
  const { dataDir, tasks } = await usedDirectory(t, 600)
  const path = join(dataDir, 'execgo.lmdb')
  const whole = await readFile(path)
  const used = whole.findLastIndex((byte) => byte !== 0) + 1
  const damages = [
    () => Buffer.alloc(PAGE_BYTES),
    () => randomBytes(PAGE_BYTES),
    (page: number) => whole.subarray((page - 1) * PAGE_BYTES, page * PAGE_BYTES),
  ]
  // What is kept of a task that shares the rest with the one before: `@7,420,"a-1"`.
  const shortest = 12
  const found = { refused: 0, unharmed: 0, harmed: 0 }
  for (let page = 1; page * PAGE_BYTES < used; page++) {
    const damaged = Buffer.from(whole)
    damages[page % damages.length]!(page).copy(damaged, page * PAGE_BYTES)
    await writeFile(path, damaged)
    const daemon = await spawn(t, { dataDir, env: { EXECGO_STATE_JSON: 'off' } })
    const ended = await endedOrListening(daemon)
    if (ended === 1) {
      assert.match(daemon.stderr, /^execgo: .* damaged: .*\n$/, `page ${page}`)
      assert.ok(daemon.stderr.includes(path), daemon.stderr)
      found.refused++
      continue
    }
    assert.equal(ended, 'it listens', `page ${page}: ${ended} ${daemon.stderr}`)
    const wrong = await damagedTasks(daemon, tasks)
    assert.ok(
      wrong <= PAGE_BYTES / shortest + MOST_SHARING,
      `page ${page}: ${wrong} tasks are not what they were`,
    )
    found[wrong === 0 ? 'unharmed' : 'harmed']++
    await daemon.crash()
  }
  t.diagnostic(JSON.stringify(found))
  assert.ok(found.refused > 0)
})

const PAGE_BYTES = 4096
/** Texts that may share the rest of one on the page. */
const MOST_SHARING = 64

/**
 * How many tasks are not answered as they were. By the plain fetch: what a damaged page makes of a task is no answer that
 * the API knows.
 */
const damagedTasks = async (daemon: TestDaemon, tasks: readonly any[]): Promise<number> => {
  let wrong = 0
  for (let at = 0; at < tasks.length; at += 100) {
    const answers = await Promise.all(
      tasks.slice(at, at + 100).map(async ({ id }) => (await fetch(`${daemon.url}/tasks/${id}`)).text()),
    )
    answers.forEach((text, place) => {
      if (text.trim() !== JSON.stringify(tasks[at + place])) wrong++
    })
  }
  return wrong
}

/** In the way of the original server: indented, keys of the object sorted, local times to the nanosecond. */
const originalTime = (at: number): string => {
  const local = new Date(Date.UTC(2026, 2, 1, 10, 0, 0) + at * 137).toISOString().slice(0, 19)
  return `${local}.${
    String((at * 104_729) % 1_000_000_000)
      .padStart(9, '0')
      .replace(/0+$/, '') || '1'
  }+08:00`
}

const originalTask = (at: number): Record<string, unknown> => {
  const id = `task-${String(at).padStart(6, '0')}`
  const created = { created_at: originalTime(at), updated_at: originalTime(at + 7) }
  const runtime = (status: string, output: unknown, error?: unknown) => ({
    status,
    output,
    started_at: originalTime(at + 1),
    finished_at: originalTime(at + 7),
    duration_ms: 3,
    attempt: 1,
    details: null,
    ...(error === undefined ? {} : { error }),
  })
  const os = {
    params: { message: `<${at}> & 中` },
    input: { message: `<${at}> & 中` },
    execution_category: 'os',
  }
  const isAlias = at % 3 === 0
  const head = isAlias
    ? { id, type: 'noop', params: { message: `old ${at}` } }
    : { id, type: 'os', tool_name: 'noop', ...os }
  switch (at % 50) {
    case 1: {
      const message = 'command failed: exit status 3'
      const error = { code: 'external_failure', message, retryable: false, source: 'executor' }
      const failed = { ...runtime('failed', null, error) }
      return {
        ...head,
        retry: 1,
        status: 'failed',
        run_status: 'failed',
        runtime: failed,
        error: message,
        ...created,
      }
    }
    case 2:
      return { ...head, depends_on: ['gone'], status: 'skipped', error: 'dependency gone failed', ...created }
    case 3:
      return {
        ...head,
        status: 'pending',
        depends_on: [`task-${String(at + 1).padStart(6, '0')}`],
        ...created,
      }
    case 4:
      return {
        ...head,
        status: 'running',
        run_status: 'running',
        runtime: { status: 'running', output: null, started_at: originalTime(at), attempt: 1, details: null },
        ...created,
      }
    case 5: {
      const handle = `mcp-${1_775_000_000_000_000_000n + BigInt(at)}`
      const output = { echo: { q: at }, tool_name: 't' }
      return {
        id,
        type: 'mcp',
        tool_name: 't',
        input: { q: at },
        status: 'success',
        run_status: 'success',
        handle_id: handle,
        progress: [{ timestamp: originalTime(at), message: 'task accepted' }],
        result: output,
        runtime: { ...runtime('success', output), handle_id: handle },
        ...created,
      }
    }
    default: {
      const result = { message: `<${at}>`, ok: true }
      return {
        ...head,
        status: 'success',
        run_status: 'success',
        result,
        runtime: runtime('success', result),
        ...created,
      }
    }
  }
}

test('a state.json of the original with 100,000 tasks is taken over, once', async (t) => {
  const count = Number(process.env['EXECGO_TAKE_OVER_TASKS'] ?? 100_000)
  const dataDir = await tempDir(t)
  const tasks = Array.from({ length: count }, (_, at) => originalTask(at))
  const file = await open(join(dataDir, 'state.json'), 'w')
  for (let from = 0; from < count; from += 1000) {
    const piece = Object.fromEntries(tasks.slice(from, from + 1000).map((task) => [task['id'], task]))
    const text = JSON.stringify(piece, null, 2).slice(1, -2).replace(/[<>&]/g, escaped)
    await file.writeFile((from === 0 ? '{' : ',') + text)
  }
  await file.writeFile('\n}')
  await file.close()

  const daemon = await start(t, { dataDir, env: { EXECGO_STATE_JSON: 'off' } })
  const isOver = ({ status }: Record<string, unknown>): boolean =>
    status !== 'pending' && status !== 'running'
  const answered = new Map((await daemon.allSettled()).map((task) => [task.id, task]))
  assert.equal(answered.size, count)
  for (const task of tasks) {
    const { graph_id, ...rest } = answered.get(task['id'])
    if (isOver(task)) assert.deepEqual(rest, task)
    else assert.equal(rest.status, 'success', JSON.stringify(rest))
    assert.equal(typeof graph_id, 'string')
  }
  assert.equal(answered.get('task-000004').runtime.attempt, 2, 'attempts of a task that was running count on')
  const mcp = tasks[5]!
  assert.equal((await daemon.request('GET', `/mcp/tasks/${mcp['handle_id']}`)).body.task_id, mcp['id'])
  assert.equal((await daemon.request('DELETE', '/tasks/task-000006')).status, 204)
  await daemon.crash()

  const again = await start(t, { dataDir, env: { EXECGO_STATE_JSON: 'off' } })
  assert.equal((await again.request('GET', '/tasks/task-000006')).status, 404, 'it was taken over again')
  answered.delete('task-000006')
  const { body } = await again.request('GET', '/tasks')
  assert.equal(body.length, answered.size)
  for (const task of body) assert.deepEqual(task, answered.get(task.id))
  await again.stop()
})

const escaped = (letter: string): string => `\\u00${letter.charCodeAt(0).toString(16)}`

test('state.json goes on being written, whole each time; off writes none', async (t) => {
  const dataDir = await tempDir(t)
  const path = join(dataDir, 'state.json')
  const daemon = await start(t, { dataDir, env: { EXECGO_STATE_JSON: '1' } })
  const ids = await daemon.submit([
    ...noops('a', 500, '中'),
    { id: '"odd" \\ id\n', type: 'noop' },
    { id: 'long', type: 'sleep', params: { duration_ms: 600_000 } },
    { id: 'next', type: 'noop', depends_on: ['long'] },
  ])
  await daemon.settled('a-499')
  await until('state.json has every task', async () => {
    const text = await readFile(path, 'utf8').catch(() => '{}')
    const state = JSON.parse(text)
    return ids.every((id) => state[id]?.id === id) && state['a-499'].status === 'success'
  })
  const state = JSON.parse(await readFile(path, 'utf8'))
  assert.equal(Object.keys(state).length, ids.length)
  assert.deepEqual(state['a-0'], await daemon.get('a-0'))
  assert.equal(state['next'].status, 'pending')
  await daemon.crash()
  await rm(path)

  const silent = await start(t, {
    dataDir,
    env: { EXECGO_STATE_JSON: 'off' },
    args: ['-shutdown-timeout', '0'],
  })
  await silent.submit(noops('b', 3))
  await silent.settled('b-2')
  assert.equal(await silent.stop(), 0)
  await assert.rejects(stat(path), /ENOENT/)
})

test('of finished tasks, the newest stay where a number is set; the file stays small', async (t) => {
  const dataDir = await tempDir(t)
  const env = { EXECGO_RETAIN_TASKS: '100', EXECGO_STATE_JSON: 'off' }
  const daemon = await start(t, { dataDir, env })
  for (let round = 0; round < 20; round++) await daemon.submit(noops(`r${round}`, 2000, 'x'.repeat(100)))
  await until('100 tasks are left', async () => {
    const { body } = await daemon.request('GET', '/tasks')
    return body.length === 100 && (await daemon.request('GET', '/metrics')).body.tasks_succeeded === 40_000
  })
  const { body } = await daemon.request('GET', '/tasks')
  for (const task of body) assert.match(task.id, /^r19-/)
  const { size } = await stat(join(dataDir, 'execgo.lmdb'))
  t.diagnostic(`${size} bytes`)
  assert.ok(size < 100_000_000, `${size} bytes`)
  await daemon.crash()
  const again = await start(t, { dataDir, env })
  assert.deepEqual((await again.request('GET', '/tasks')).body, body)
  await again.stop()
})

test('finished tasks go when they are old enough, where an age is set', async (t) => {
  const dataDir = await tempDir(t)
  const daemon = await start(t, { dataDir, env: { EXECGO_RETAIN: '1s' } })
  await daemon.submit([...noops('a', 50), { id: 'long', type: 'sleep', params: { duration_ms: 600_000 } }])
  await until('only the task that is not over is left', async () => {
    const { body } = await daemon.request('GET', '/tasks')
    return body.length === 1 && body[0].id === 'long'
  })
  await daemon.crash()
})

test('the file does not grow without bound where tasks come and go', async (t) => {
  const dataDir = await tempDir(t)
  const path = join(dataDir, 'execgo.lmdb')
  const daemon = await start(t, { dataDir, env: { EXECGO_STATE_JSON: 'off' } })
  const sizes: number[] = []
  for (let round = 0; round < 20; round++) {
    const ids = await daemon.submit(noops(`r${round}`, 2000, 'x'.repeat(200)))
    await daemon.allSettled()
    for (let at = 0; at < ids.length; at += 100) {
      const answers = await Promise.all(
        ids.slice(at, at + 100).map((id) => daemon.request('DELETE', `/tasks/${id}`)),
      )
      for (const { status } of answers) assert.equal(status, 204)
    }
    sizes.push((await stat(path)).size)
  }
  t.diagnostic(sizes.join(' '))
  assert.deepEqual((await daemon.request('GET', '/tasks')).body, [])
  assert.ok(sizes.at(-1)! < 60_000_000, sizes.join(' '))
  assert.ok(sizes.at(-1)! < sizes[4]! * 3, sizes.join(' '))
  await daemon.stop()
})
