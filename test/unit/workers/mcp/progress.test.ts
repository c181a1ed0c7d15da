import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressLines } from '../../../../workers/mcp/progress.ts'

test('a line has the count, and the message where there is one', () => {
  const lines: string[] = []
  const tell = progressLines((line) => lines.push(line))
  tell({ progress: 1 })
  tell({ progress: 2, total: 4 })
  tell({ progress: 3, total: 4, message: 'copying' })
  tell({ progress: 4, message: 'x'.repeat(5000) })
  assert.deepEqual(lines, ['1', '2/4', '3/4: copying', `4: ${'x'.repeat(1000)}`])
})

test('a flood is thinned out', () => {
  let lines = 0
  const tell = progressLines(() => lines++)
  const startedMs = performance.now()
  for (let progress = 0; progress < 100_000; progress++) tell({ progress })
  assert.ok(lines >= 100 && lines <= 101 + (performance.now() - startedMs) / 100, `${lines} lines`)
})
