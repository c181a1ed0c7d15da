import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDaemon } from '../support/daemon.ts'

const inDirectory = async (body: (dataDir: string) => Promise<void>): Promise<void> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'execgo-restart-'))
  try {
    await body(dataDir)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

test('a stop under load loses nothing: state.json has every task that was accepted', () =>
  inDirectory(async (dataDir) => {
    const daemon = await startDaemon({ dataDir, args: ['-shutdown-timeout', '1'] })
    const accepted = new Set<string>()
    let isOver = false
    const client = async (name: string): Promise<void> => {
      for (let round = 0; !isOver; round++) {
        const tasks = Array.from({ length: 20 }, (_, at) => ({
          id: `${name}-${round}-${at}`,
          type: at % 5 === 0 ? 'sleep' : 'noop',
          params: { duration_ms: 20 },
          depends_on: at === 0 ? [] : [`${name}-${round}-${at - 1}`],
        }))
        try {
          const { status, body } = await daemon.request('POST', '/tasks', { tasks })
          if (status === 202) for (const id of body.task_ids) accepted.add(id)
          else isOver = true
        } catch {
          isOver = true
        }
      }
    }
    const clients = Promise.all(['a', 'b', 'c', 'd'].map(client))
    while (accepted.size < 400) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(await daemon.stop('SIGINT'), 0)
    isOver = true
    await clients
    const state = JSON.parse(await readFile(join(dataDir, 'state.json'), 'utf8'))
    for (const id of accepted) assert.ok(state[id] !== undefined, `${id} is lost`)
    assert.deepEqual(
      (await readdir(dataDir)).filter((name) => name.endsWith('.tmp')),
      [],
    )

    const again = await startDaemon({ dataDir })
    const tasks = await again.allSettled()
    assert.equal(tasks.length, Object.keys(state).length)
    for (const task of tasks) assert.equal(task.status, 'success', JSON.stringify(task))
    assert.equal(await again.stop(), 0)
  }))

test('running and pending tasks run again after a restart, commands that were running are gone', () =>
  inDirectory(async (dataDir) => {
    const daemon = await startDaemon({ dataDir, args: ['-max-concurrency', '2', '-shutdown-timeout', '0'] })
    await daemon.submit([
      {
        id: 'long',
        type: 'shell',
        params: { script: '[ $EXECGO_ATTEMPT -gt 1 ] && exit 0; echo $$; sleep 100' },
      },
      { id: 'sleep', type: 'sleep', params: { duration_ms: 100 } },
      { id: 'next', type: 'noop', depends_on: ['long'] },
      { id: 'queued-1', type: 'noop', depends_on: ['sleep', 'long'] },
    ])
    await daemon.until('long', (task) => task.status === 'running')
    assert.equal(await daemon.stop(), 0)
    const state = JSON.parse(await readFile(join(dataDir, 'state.json'), 'utf8'))
    assert.equal(state.next.status, 'pending')
    assert.deepEqual(state.long.runtime, { attempt: 1 })
    // The record waits for its next attempt; who ended this one is in the log.
    const killed = daemon.logLines.map((line) => JSON.parse(line)).find((line) => line.task_id === 'long')
    assert.equal(killed.msg, 'killed by the stop: the task runs again at the next start')
    assert.deepEqual(
      [killed.graph_id, killed.attempt, killed.signal, killed.terminated_by],
      [state.long.graph_id, 1, 'SIGKILL', 'shutdown'],
    )

    const again = await startDaemon({ dataDir })
    for (const id of ['long', 'sleep', 'next', 'queued-1'])
      assert.equal((await again.settled(id)).status, 'success', id)
    assert.equal((await again.get('long')).runtime.attempt, 2)
    await again.stop()
  }))

test('a second signal ends at once', () =>
  inDirectory(async (dataDir) => {
    const daemon = await startDaemon({ dataDir, args: ['-shutdown-timeout', '600'] })
    await daemon.submit([
      { id: 'long', type: 'shell', params: { script: 'echo $$ > /dev/null; exec sleep 600' } },
    ])
    await daemon.until('long', (task) => task.status === 'running')
    daemon.child.kill('SIGTERM')
    while (!daemon.logLines.some((line) => line.includes('shutting down')))
      await new Promise((r) => setTimeout(r, 10))
    const { status, body } = await daemon.request('POST', '/tasks', { tasks: [{ id: 'late', type: 'noop' }] })
    assert.equal(status, 503)
    assert.match(body.error, /shutting down/)
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.equal(await daemon.stop('SIGTERM'), 1)
  }))

test('a deleted dependency skips its dependents over a restart', () =>
  inDirectory(async (dataDir) => {
    const daemon = await startDaemon({ dataDir, args: ['-shutdown-timeout', '0'] })
    await daemon.submit([
      { id: 'gone', type: 'sleep', params: { duration_ms: 60000 } },
      { id: 'left', type: 'noop', depends_on: ['gone'] },
    ])
    assert.equal((await daemon.request('DELETE', '/tasks/gone')).status, 204)
    await daemon.stop()
    const again = await startDaemon({ dataDir })
    const left = await again.settled('left')
    assert.equal(left.status, 'skipped')
    assert.equal(left.error, 'dependency gone deleted')
    await again.stop()
  }))

test('a stop writes state.json, also of what a process changed that was killed before it could', () =>
  inDirectory(async (dataDir) => {
    const killed = await startDaemon({ dataDir })
    await killed.submit([{ id: 'done', type: 'noop' }])
    await killed.settled('done')
    await killed.crash()

    const again = await startDaemon({ dataDir })
    assert.equal(await again.stop(), 0)
    const state = JSON.parse(await readFile(join(dataDir, 'state.json'), 'utf8'))
    assert.deepEqual([Object.keys(state), state.done.status], [['done'], 'success'])
  }))

test('a damaged state.json stops the start, with the file and the place in the message', () =>
  inDirectory(async (dataDir) => {
    const { writeFile } = await import('node:fs/promises')
    await writeFile(join(dataDir, 'state.json'), '{"a":{"id":"a","status":"suc')
    await assert.rejects(startDaemon({ dataDir }), /state\.json is damaged/)
    assert.equal(await readFile(join(dataDir, 'state.json'), 'utf8'), '{"a":{"id":"a","status":"suc')
  }))
