/** The original server's answers, recorded, against this daemon's. */
import assert from 'node:assert/strict'
import { type ExecFileException, execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { SOON_MS, checkedFetchFlags, root, startDaemon } from '../support/daemon.ts'

test('every recorded case answers as the original did', async (t) => {
  const daemon = await startDaemon({ env: { EXECGO_SHELL_POLICY: '' } })
  t.after(() => daemon.stop())
  const folder = join(root, 'test', 'conformance')
  const [problem, printed] = await new Promise<[ExecFileException | null, string]>((resolve) => {
    const args = ['check', daemon.url, join(folder, 'cases.json'), join(folder, 'expected.json')]
    execFile(
      process.execPath,
      [...checkedFetchFlags, join(folder, 'conformance.mjs'), ...args],
      { timeout: 2 * SOON_MS },
      (error, stdout, stderr) => resolve([error, stdout + stderr]),
    )
  })
  assert.equal(problem, null, printed)
  assert.match(printed, /^(\d+) of \1 cases answer as expected\n$/)
})
