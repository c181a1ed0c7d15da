import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StderrLog } from '../../../../workers/mcp/stderr-log.ts'

const logOf = (...chunks: readonly string[]): unknown[] => {
  const lines: unknown[] = []
  const log = new StderrLog('s', (level, fields, message) => lines.push([level, fields, message]))
  for (const chunk of chunks) log.append(Buffer.from(chunk, 'latin1'))
  log.end()
  return lines
}

const said = (stderr: string): unknown => ['info', { mcp_server: 's', stderr }, 'an MCP server says']

test('each line is one of the log, however it arrives', () => {
  assert.deepEqual(logOf('on', 'e\ntwo\r\n\n  \nthr', 'ee'), [said('one'), said('two'), said('three')])
  assert.deepEqual(logOf('\xc3', '\xa9\n'), [said('é')])
})

test('a long line is cut', () => {
  assert.deepEqual(logOf('x'.repeat(600), 'x'.repeat(1_000_000), '\nshort\n'), [
    said(`${'x'.repeat(1000)}…`),
    said('short'),
  ])
})

test('of a flood the first lines are logged, and the others counted', () => {
  const lines = logOf('a\n'.repeat(5000))
  assert.equal(lines.length, 101)
  assert.deepEqual(lines.at(-1), [
    'warn',
    { mcp_server: 's', lines: 4900 },
    'an MCP server said more than is logged',
  ])
})
