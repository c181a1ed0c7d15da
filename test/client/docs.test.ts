/** What the pages of the client print is what it does. */
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
