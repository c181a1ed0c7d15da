import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../../support/daemon.ts'
import { tempDir } from '../../support/temp-dir.ts'

const validate = (args: readonly string[], input = '') =>
  spawnSync(process.execPath, [join(root, 'dist/src/cli.js'), 'validate', ...args], {
    encoding: 'utf8',
    input,
  })

const WRONG = `tasks:
  - id: a
    type: nop
    retry: -1
    retries: 2
  - {id: b, type: shell, depends_on: [a, c]}
`

test('validate tells every problem with its file, line and column', async (t) => {
  const file = join(await tempDir(t), 'graph.yaml')
  await writeFile(file, WRONG)
  const { status, stdout, stderr } = validate([file, join(root, 'examples/ci.json')])
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.deepEqual(stderr.trimEnd().split('\n'), [
    `${file}:3:11: error: unknown task type: nop (available: cli-skills, mcp, os): did you mean "noop"?`,
    `${file}:4:12: error: task "a": retry cannot be negative`,
    `${file}:5:5: warning: unknown field "retries" is ignored`,
    `${file}:6:42: error: task "b" depends on unknown task "c"`,
    `${file}: 3 errors, 1 warning`,
    `${join(root, 'examples/ci.json')}: valid`,
  ])
})

test('validate reads standard input, and answers JSON for programs', () => {
  const { status, stdout, stderr } = validate(['-', '-o', 'json'], WRONG)
  assert.equal(status, 2)
  assert.equal(stderr, '')
  const problems = JSON.parse(stdout) as { file: string; line: number; severity: string }[]
  assert.deepEqual(
    problems.map(({ file, line, severity }) => `${file}:${line} ${severity}`),
    ['-:3 error', '-:4 error', '-:5 warning', '-:6 error'],
  )
  const right = validate(['-', '-o', 'json'], '{"tasks": [{"id": "a", "type": "noop"}]}')
  assert.equal(right.status, 0)
  assert.deepEqual(JSON.parse(right.stdout), [])
})

test('validate says what it cannot read, and what it does not know', () => {
  for (const [args, expected] of [
    [['nowhere.yaml'], /^execgo: cannot read nowhere\.yaml: there is no such file/],
    [['-o', 'xml', '-'], /^execgo: --output: expected text or json, got "xml"/],
    [[], /^execgo: missing required argument 'file'/],
  ] as const) {
    const { status, stdout, stderr } = validate(args)
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, expected)
  }
})
