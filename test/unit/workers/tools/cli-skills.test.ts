import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cliSkills } from '../../../../workers/tools/cli-skills.ts'
import { attemptOf, messageOf, runTool } from '../support.ts'

test('runs any command and takes its outputs together', async () => {
  const args = ['-c', 'echo a; echo b >&2; echo c']
  assert.deepEqual(await runTool(cliSkills, { command: 'sh', args }), {
    ok: true,
    output: { args, command: 'sh', output: 'a\nb\nc\n' },
  })
  assert.deepEqual(await runTool(cliSkills, { command: 'true' }), {
    ok: true,
    output: { args: null, command: 'true', output: '' },
  })
})

test('a failure has its result too', async () => {
  assert.deepEqual(await runTool(cliSkills, { command: 'sh', args: ['-c', 'echo a; exit 4'] }), {
    ok: false,
    message: 'cli skill command failed: exit status 4',
    isFinal: false,
    output: { args: ['-c', 'echo a; exit 4'], command: 'sh', output: 'a\n' },
  })
  assert.deepEqual(await runTool(cliSkills, { command: 'no-such', args: [] }), {
    ok: false,
    message: 'cli skill command failed: exec: "no-such": executable file not found in $PATH',
    isFinal: false,
    output: { args: [], command: 'no-such', output: '' },
  })
})

test('refuses what it cannot run', async () => {
  assert.equal(messageOf(await runTool(cliSkills, { command: ' ' })), 'command is required')
  assert.equal(
    messageOf(await runTool(cliSkills, { command: 1 })),
    'parse cli-skills input: json: cannot unmarshal number into Go struct field CLISkillInput.command of type string',
  )
  assert.equal(
    messageOf(await runTool(cliSkills, {}, attemptOf({ inputJson: '' }))),
    'parse cli-skills input: unexpected end of JSON input',
  )
  const strict = await runTool(
    cliSkills,
    { command: 'true' },
    attemptOf({ settings: { shellPolicy: 'strict' } }),
  )
  assert.equal(messageOf(strict), 'command "true" is not in the allowed whitelist')
})

test('keeps the first and the last half of much output', async () => {
  const attempt = attemptOf({ settings: { outputLimitBytes: 8 } })
  const result = await runTool(cliSkills, { command: 'echo', args: ['0123456789'] }, attempt)
  assert.deepEqual(result, {
    ok: true,
    output: { args: ['0123456789'], command: 'echo', output: '0123789\n' },
    details: { stdout_truncated_bytes: 3 },
  })
})
