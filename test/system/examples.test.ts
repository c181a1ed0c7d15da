/**
 * The examples do what the pages say of them: this repository's own pipeline, submitted and waited for by the README's
 * own commands, and a tool from outside.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { root, startDaemon } from '../support/daemon.ts'
import { examplesOf } from '../support/doc-blocks.ts'

const run = promisify(execFile)

/** The whole pipeline, on a machine that has the other tests to run beside it. */
const PIPELINE_WITHIN_MS = 15 * 60_000

interface Ended {
  readonly id: string
  readonly status: string
  readonly error?: string
  readonly result?: { readonly stdout: string; readonly stderr: string }
}

/** The README's block that submits the pipeline. */
const submission = async (url: string): Promise<string> => {
  const page = await readFile(join(root, 'README.md'), 'utf8')
  const block = examplesOf(page).find(({ command }) => command.text.includes('@examples/ci.json'))
  assert.ok(block, 'README.md submits examples/ci.json')
  return block.command.text.replaceAll('http://localhost:8080', url)
}

const hasTools = await run('bash', ['-c', 'command -v curl && command -v grep && command -v npm']).then(
  () => true,
  () => false,
)

test("this repository's pipeline runs to its end", {
  skip: hasTools ? false : 'bash, curl, grep or npm is missing',
}, async (t) => {
  // A test run within a test run would think that it is part of this one.
  delete process.env['NODE_TEST_CONTEXT']
  // Two at once leave the other tests some of the machine.
  const daemon = await startDaemon({
    cwd: root,
    args: ['-max-concurrency', '2'],
    env: { EXECGO_SHELL_POLICY: 'open' },
  })
  t.after(() => daemon.stop('SIGINT'))
  const { stdout } = await run('bash', ['-e', '-c', await submission(daemon.url)], {
    cwd: root,
    timeout: PIPELINE_WITHIN_MS,
  })
  const { tasks } = JSON.parse(await readFile(join(root, 'examples', 'ci.json'), 'utf8')) as {
    tasks: { id: string }[]
  }
  const ended = (await daemon.request('GET', '/tasks')).body as Ended[]
  const failures = ended
    .filter(({ status }) => status !== 'success')
    .map(({ id, error, result }) => `${id}: ${error}\n${result?.stdout ?? ''}\n${result?.stderr ?? ''}`)
  assert.deepEqual(failures, [], failures.join('\n'))
  const [accepted, ...lines] = stdout.trim().split('\n')
  const answer = JSON.parse(accepted!)
  assert.deepEqual([answer.accepted, answer.task_ids], [tasks.length, tasks.map(({ id }) => id)])
  assert.deepEqual(lines.map((line) => line.trim()).sort(), tasks.map(({ id }) => `success ${id}`).sort())
})

test('a tool from outside runs as an os tool', async (t) => {
  const daemon = await startDaemon({ cwd: root, env: { EXECGO_TOOLS: 'examples/greet-tool.mjs' } })
  t.after(() => daemon.stop())
  await daemon.submit([
    { id: 'greet', type: 'os', tool_name: 'greet', input: { name: 'Ada' } },
    { id: 'nobody', type: 'os', tool_name: 'greet', retry: 3 },
  ])
  assert.deepEqual((await daemon.settled('greet')).result, { greeting: 'hello, Ada' })
  const { status, error, runtime } = await daemon.settled('nobody')
  assert.deepEqual([status, error, runtime.attempt], ['failed', 'name is required', 1])
})
