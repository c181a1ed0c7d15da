/** What the pages of the client and the library print is what they do. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { checkedFetchFlags, root, startDaemon } from '../support/daemon.ts'
import { examplesOf } from '../support/doc-blocks.ts'

for (const language of ['en', 'zh']) {
  test(`docs/${language}/client.md runs as printed`, async (t) => {
    const daemon = await startDaemon()
    t.after(() => daemon.stop())
    const page = readFileSync(join(root, 'docs', language, 'client.md'), 'utf8')
    const examples = examplesOf(page, 'js')
    assert.ok(examples.length > 0)
    for (const { command, answer } of examples) {
      const script = command.text.replaceAll('http://localhost:8080', daemon.url)
      const args = [...checkedFetchFlags, '--input-type=module', '-e', script]
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
      assert.equal(stdout.trim(), answer?.text.trim(), `line ${command.line}`)
    }
  })
}

for (const language of ['en', 'zh']) {
  test(`docs/${language}/library.md runs as printed, and prints the examples`, async () => {
    const page = readFileSync(join(root, 'docs', language, 'library.md'), 'utf8')
    for (const { command, answer } of examplesOf(page, 'js')) {
      if (command.flags.includes('no-run')) continue
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '-e', command.text],
        { cwd: root },
      )
      assert.equal(stdout.trim(), answer?.text.trim(), `line ${command.line}`)
    }
    for (const name of ['count-tool.mjs', 'main.mjs']) {
      const example = readFileSync(join(root, 'examples/library', name), 'utf8')
      assert.ok(page.includes(example.replace(/^\/\/.*\n/, '')), name)
    }
  })
}
