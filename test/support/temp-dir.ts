/** A directory of its own for a test, gone at its end. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export const tempDir = async (t: TestContext): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'execgo-unit-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}
