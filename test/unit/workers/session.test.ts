import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { test } from 'node:test'
import type { Assignment, FromWorker, Outcome, ToWorker, WorkerSettings } from '../../../src/pool/messages.ts'
import { assignmentRows, outcomesIn } from '../../../src/pool/rows.ts'
import { StartTimes } from '../../../src/metrics/start-times.ts'
import run from '../../../workers/run.ts'
import { done, fail, failDuring } from '../../../workers/tools/tool.ts'
import { type Held, held } from './fixtures/decided-tools.ts'
import { eventually, holdingsFor, SETTINGS } from './support.ts'

const DECIDED = fileURLToPath(new URL('./fixtures/decided-tools.ts', import.meta.url))

/** The main thread's side of a session. */
class Peer {
  readonly messages: FromWorker[] = []
  readonly ended: Promise<void>
  readonly #port: MessagePort

  constructor(settings: Partial<WorkerSettings> = {}) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    port1.on('message', (message: FromWorker) => this.messages.push(message))
    this.ended = run({
      port: port2,
      settings: { ...SETTINGS, ...settings },
      holdings: holdingsFor(16),
      startTimes: new StartTimes().shared,
    })
  }

  send(message: ToWorker): void {
    this.#port.postMessage(message)
  }

  run(...assignments: (Partial<Assignment> & { ref: number })[]): void {
    const rest = {
      taskId: 't',
      graphKey: 1,
      category: 'os',
      toolName: 'noop',
      inputJson: '{}',
      attempt: 1,
      handleId: '',
      traceparent: '',
    }
    const rows = assignmentRows(assignments.map((assignment) => ({ ...rest, ...assignment })))
    this.send({ type: 'run', rows })
  }

  reports(): (readonly Outcome[])[] {
    return this.messages.flatMap((message) => (message.type === 'report' ? [outcomesIn(message.rows)] : []))
  }

  /** The outcome of this attempt, once it came. */
  outcome(ref: number): Promise<Outcome> {
    return eventually(() =>
      this.reports()
        .flat()
        .find((outcome) => outcome.ref === ref),
    )
  }

  async close(): Promise<void> {
    this.send({ type: 'close' })
    await this.ended
  }
}

const nextHeld = (): Promise<Held> => eventually(() => held.shift())

test('says that it is ready, then answers a batch in one report, in order', async () => {
  const peer = new Peer()
  peer.run(
    { ref: 5, inputJson: '{"message":"a"}' },
    { ref: 3, inputJson: '' },
    { ref: 4, toolName: ' noop ' },
  )
  await peer.outcome(4)
  assert.equal(peer.messages[0]?.type, 'ready')
  const [outcomes, ...more] = peer.reports()
  assert.deepEqual(more, [])
  assert.deepEqual(
    outcomes?.map(({ ref, outputJson }) => [ref, outputJson]),
    [
      [5, '{"message":"a","ok":true}'],
      [3, '{"message":"","ok":true}'],
      [4, '{"message":"","ok":true}'],
    ],
  )
  const { startedMs, finishedMs, ranMs, ...first } = outcomes![0]!
  assert.ok(Math.abs(Date.now() - startedMs) < 60_000 && finishedMs >= startedMs && ranMs >= 0)
  assert.deepEqual(first, {
    ref: 5,
    status: 'success',
    outputJson: '{"message":"a","ok":true}',
    detailsJson: '',
    message: '',
    code: 'unknown',
    retryable: false,
    isFinal: false,
  })
  await peer.close()
})

test('what ends in the same turn is one report', async () => {
  const peer = new Peer({ toolModules: [DECIDED] })
  peer.run({ ref: 1, toolName: 'held' }, { ref: 2, toolName: 'held' }, { ref: 3, toolName: 'sleep' })
  await peer.outcome(3)
  const [first, second] = [await nextHeld(), await nextHeld()]
  second.end(done('b'))
  first.end(done('a', { n: 1 }))
  await peer.outcome(1)
  assert.deepEqual(
    peer
      .reports()
      .map((outcomes) => outcomes.map(({ ref, outputJson, detailsJson }) => [ref, outputJson, detailsJson])),
    [
      [[3, '{"slept_ms":0}', '']],
      [
        [2, '"b"', ''],
        [1, '"a"', '{"n":1}'],
      ],
    ],
  )
  await peer.close()
})

test('a failure carries its message, its code and its output', async () => {
  const peer = new Peer({ toolModules: [DECIDED] })
  peer.run(
    { ref: 1, toolName: 'x"y' },
    { ref: 2, toolName: ' ' },
    { ref: 3, toolName: 'throws' },
    { ref: 4, toolName: 'no-result' },
    { ref: 5, toolName: 'no-json' },
    { ref: 6, toolName: 'sleep', inputJson: '{"duration_ms":-1}' },
    { ref: 7, toolName: 'shell', inputJson: '{"script":"exit 3"}' },
    { ref: 8, category: 'mcp', toolName: 'demo', inputJson: 'null' },
    { ref: 9, category: 'cli-skills', toolName: '' },
    { ref: 10, toolName: 'sleep', inputJson: '{' },
    { ref: 11, toolName: 'held' },
  )
  ;(await nextHeld()).break(new Error('broke later'))
  const told = async (ref: number): Promise<unknown[]> => {
    const { status, message, code, isFinal, outputJson } = await peer.outcome(ref)
    return [status, message, code, isFinal, outputJson]
  }
  assert.deepEqual(await told(1), ['failed', 'unknown os tool "x\\"y"', 'external_failure', true, ''])
  assert.deepEqual(await told(2), ['failed', 'unknown os tool "os"', 'external_failure', true, ''])
  assert.deepEqual(await told(3), ['failed', 'broke at once', 'internal', false, ''])
  assert.equal((await told(4))[2], 'internal')
  assert.equal((await told(5))[2], 'internal')
  assert.deepEqual(await told(6), [
    'failed',
    'duration_ms must be non-negative',
    'external_failure',
    true,
    '',
  ])
  assert.deepEqual(await told(7), [
    'failed',
    'command failed: exit status 3',
    'external_failure',
    false,
    '{"exit_code":3,"runner":"sh","stderr":"","stdout":""}',
  ])
  assert.deepEqual(await told(8), ['success', '', 'unknown', false, '{"echo":null,"tool_name":"demo"}'])
  assert.deepEqual(await told(9), ['failed', 'command is required', 'external_failure', true, ''])
  assert.equal((await told(10))[2], 'internal')
  assert.deepEqual(await told(11), ['failed', 'broke later', 'internal', false, ''])
  await peer.close()
})

test('an abort is acknowledged, reaches the tool, and decides the status', async () => {
  const peer = new Peer({ toolModules: [DECIDED] })
  peer.run({ ref: 1, toolName: 'held', taskId: 'mine', attempt: 4 })
  const { context, end } = await nextHeld()
  assert.deepEqual([context.taskId, context.attempt, context.toolName], ['mine', 4, 'held'])
  assert.equal(context.signal.aborted, false)
  peer.send({ type: 'abort', ref: 1, graceMs: 7000, reason: 'context canceled' })
  await eventually(() => peer.messages.some((message) => message.type === 'ack' && message.ref === 1))
  assert.deepEqual([context.signal.aborted, context.graceMs], [true, 7000])
  end(done('all the same'))
  const { status, outputJson } = await peer.outcome(1)
  assert.deepEqual([status, outputJson], ['aborted', ''])
  await peer.close()
})

test('an aborted tool may say what was under way', async () => {
  const peer = new Peer({ toolModules: [DECIDED] })
  peer.run({ ref: 1, toolName: 'held' }, { ref: 2, toolName: 'held' })
  const [first, second] = [await nextHeld(), await nextHeld()]
  peer.send({ type: 'abort', ref: 1, graceMs: 0, reason: 'context deadline exceeded' })
  peer.send({ type: 'abort', ref: 2, graceMs: 0, reason: 'context deadline exceeded' })
  await eventually(() => second.context.signal.aborted)
  first.end(failDuring(`asking: ${first.context.signal.reason}`, first.context))
  second.end(fail('command failed: signal: killed'))
  assert.equal((await peer.outcome(1)).message, 'asking: context deadline exceeded')
  assert.equal((await peer.outcome(2)).message, '')
  await peer.close()
})

test('an abort of an attempt that is over is only acknowledged', async () => {
  const peer = new Peer()
  peer.run({ ref: 1 })
  peer.send({ type: 'abort', ref: 1, graceMs: 0, reason: 'context canceled' })
  peer.send({ type: 'abort', ref: 99, graceMs: 0, reason: 'context canceled' })
  await eventually(() => peer.messages.filter((message) => message.type === 'ack').length === 2)
  assert.equal((await peer.outcome(1)).status, 'success')
  assert.equal(peer.reports().length, 1)
  await peer.close()
})

test('a tool that does not react is given up, and its late result dropped', async () => {
  const peer = new Peer({ toolModules: [DECIDED] })
  peer.run({ ref: 1, toolName: 'held' })
  const { context, end } = await nextHeld()
  peer.send({ type: 'abort', ref: 1, graceMs: 0, reason: 'context canceled' })
  assert.equal((await peer.outcome(1)).status, 'aborted')
  assert.equal(context.signal.aborted, true)
  end(done('too late'))
  context.progress('too late')
  peer.run({ ref: 2, toolName: 'sleep' })
  await peer.outcome(2)
  assert.equal(peer.reports().length, 2)
  assert.ok(!peer.messages.some((message) => message.type === 'progress'))
  await peer.close()
})

test('progress comes before the outcome', async () => {
  const peer = new Peer({ toolModules: [DECIDED] })
  peer.run({ ref: 1, toolName: 'held' })
  const { context, end } = await nextHeld()
  context.progress('half')
  end(done(null))
  assert.equal((await peer.outcome(1)).outputJson, 'null')
  assert.deepEqual(
    peer.messages.map((message) => message.type),
    ['ready', 'progress', 'report'],
  )
  await peer.close()
})

test('close kills and reports what still runs', async () => {
  const peer = new Peer()
  peer.run({ ref: 1, toolName: 'shell', inputJson: '{"script":"trap \'\' TERM; sleep 60; sleep 60"}' })
  peer.run({ ref: 2, toolName: 'sleep', inputJson: '{"duration_ms":60000}' })
  peer.run({ ref: 3 })
  await peer.outcome(3)
  await peer.close()
  assert.equal((await peer.outcome(1)).status, 'aborted')
  assert.equal((await peer.outcome(2)).status, 'aborted')
})

test('brings further tools, which win over its own, and names a module that is none', async () => {
  const peer = new Peer({ toolModules: [new URL('./fixtures/decided-tools.ts', import.meta.url).href] })
  peer.run({ ref: 1 })
  assert.equal((await peer.outcome(1)).outputJson, '"replaced"')
  await peer.close()
  await assert.rejects(new Peer({ toolModules: ['/no/such.js'] }).ended, /\/no\/such\.js/)
  await assert.rejects(
    new Peer({ toolModules: ['data:text/javascript,export default 5'] }).ended,
    /is no tool/,
  )
})
