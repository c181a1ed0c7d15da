import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/domain/json.ts'
import type { WorkerSettings } from '../../../../src/pool/messages.ts'
import { shell } from '../../../../workers/tools/shell/shell.ts'
import { attemptOf, messageOf, pidIn, runTool } from '../support.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const output = (more: JsonObject): JsonObject => ({
  exit_code: 0,
  runner: 'direct',
  stderr: '',
  stdout: '',
  ...more,
})

const runWith = (shellPolicy: WorkerSettings['shellPolicy'], input: JsonObject) =>
  runTool(shell, input, attemptOf({ settings: { shellPolicy } }))

test('runs a command without a shell', async () => {
  assert.deepEqual(await runTool(shell, { command: 'echo', args: ['$HOME', '*'] }), {
    ok: true,
    output: output({ stdout: '$HOME *\n' }),
  })
  assert.deepEqual(await runTool(shell, { command: 'pwd', dir: '/', runner: 'nonsense' }), {
    ok: true,
    output: output({ stdout: '/\n' }),
  })
})

test('runs a script, which wins over a command', async () => {
  for (const runner of ['', 'auto', ' SH ']) {
    assert.deepEqual(await runTool(shell, { script: 'echo a; echo b >&2', runner, command: 'nope' }), {
      ok: true,
      output: output({ runner: 'sh', stdout: 'a\n', stderr: 'b\n' }),
    })
  }
})

test('a failure has its result too', async () => {
  assert.deepEqual(await runTool(shell, { script: 'echo a; exit 3' }), {
    ok: false,
    message: 'command failed: exit status 3',
    isFinal: false,
    output: output({ runner: 'sh', exit_code: 3, stdout: 'a\n' }),
  })
  assert.deepEqual(await runTool(shell, { script: 'kill -9 $$' }), {
    ok: false,
    message: 'command failed: signal: killed',
    isFinal: false,
    output: output({ runner: 'sh', exit_code: -1 }),
    details: { signal: 'SIGKILL' },
  })
  assert.deepEqual(await runTool(shell, { script: 'x', runner: 'powershell' }), {
    ok: false,
    message: 'command failed: exec: "powershell": executable file not found in $PATH',
    isFinal: false,
    output: output({ runner: 'powershell', exit_code: -1 }),
  })
})

test('refuses what it cannot run, for good', async () => {
  const refusal = async (input: JsonObject): Promise<string> => {
    const result = await runTool(shell, input)
    assert.ok(!result.ok && result.isFinal && result.output === undefined && result.code === undefined)
    return result.message
  }
  assert.equal(await refusal({}), 'either script or command is required')
  assert.equal(await refusal({ command: ' ', script: '\n' }), 'either script or command is required')
  assert.equal(await refusal({ script: 'x', runner: 'Direct' }), 'runner "Direct" cannot be used with script')
  assert.equal(
    await refusal({ script: 'x', runner: 'zsh' }),
    'invalid runner "zsh" (supported for script: auto, powershell, cmd, sh)',
  )
  assert.equal(
    await refusal({ script: 'x', runner: 'constructor' }),
    'invalid runner "constructor" (supported for script: auto, powershell, cmd, sh)',
  )
  assert.equal(
    await refusal({ command: '/usr/bin/python3' }),
    'command "python3" is not in the allowed whitelist',
  )
  assert.equal(await refusal({ command: 'ls ' }), 'command "ls " is not in the allowed whitelist')
  assert.equal(
    await refusal({ command: 'ls', args: 'x' }),
    'parse shell params: json: cannot unmarshal string into Go struct field ShellParams.args of type []string',
  )
})

test('the policy opens the list, or closes scripts too', async () => {
  assert.ok((await runWith('open', { command: 'true' })).ok)
  assert.equal(
    messageOf(await runWith('allow-list', { command: 'true' })),
    'command "true" is not in the allowed whitelist',
  )
  assert.ok((await runWith('strict', { command: 'echo' })).ok)
  const refused = await runWith('strict', { script: 'echo' })
  assert.ok(!refused.ok && refused.isFinal && refused.code === 'denied')
})

test('says what it left out', async () => {
  const attempt = attemptOf({ settings: { outputLimitBytes: 8 } })
  const result = await runTool(shell, { script: 'printf 0123456789; printf 0123456789ab >&2' }, attempt)
  assert.deepEqual(result, {
    ok: true,
    output: output({ runner: 'sh', stdout: '01236789', stderr: '012389ab' }),
    details: { stdout_truncated_bytes: 2, stderr_truncated_bytes: 4 },
  })
})

test('an abort ends it', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'execgo-shell-'))
  const attempt = attemptOf()
  const running = runTool(shell, { script: `echo $$ > ${scratch}/pid; sleep 60` }, attempt)
  await pidIn(join(scratch, 'pid'))
  attempt.abort(5000, 'context deadline exceeded')
  assert.equal(messageOf(await running), 'command failed: signal: terminated')
  rmSync(scratch, { recursive: true })
})
