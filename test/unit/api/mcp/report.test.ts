import assert from 'node:assert/strict'
import { test } from 'node:test'
import { line } from '../../../../src/api/mcp/report.ts'

test('a line of a list is short, whatever a task is called', () => {
  const task = { id: 'a', status: 'failed', type: 'mcp', tool_name: 'x'.repeat(1_000_000) }
  const { tool } = line(task) as { tool: string }
  assert.match(tool, /^x+…\[999800 characters left out\]…x+$/)
  assert.equal(line({ ...task, tool_name: 'files/read' })['tool'], 'files/read')
  assert.equal(line({ id: 'a', status: 'success', type: 'cli-skills' })['tool'], 'cli-skills')
})
