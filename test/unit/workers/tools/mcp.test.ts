import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mcp } from '../../../../workers/tools/mcp.ts'
import { attemptOf, runTool } from '../support.ts'

test('answers with what it was given', async () => {
  const attempt = attemptOf({ toolName: 'demo.echo', inputJson: '{"hello":"world"}' })
  assert.deepEqual(await runTool(mcp, { hello: 'world' }, attempt), {
    ok: true,
    output: { echo: { hello: 'world' }, tool_name: 'demo.echo' },
  })
})

test('without an input it echoes null', async () => {
  for (const inputJson of ['', 'null']) {
    const result = await runTool(mcp, {}, attemptOf({ inputJson }))
    assert.deepEqual(result, { ok: true, output: { echo: null, tool_name: '' } })
  }
})
