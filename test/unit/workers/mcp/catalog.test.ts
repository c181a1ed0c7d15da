import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Offer, findTool, namedServer, unknownTool } from '../../../../workers/mcp/catalog.ts'
import { messageOf } from '../support.ts'

const offer = (server: string, tools: readonly string[] | null, problem = ''): Offer => ({
  server,
  tools,
  problem,
})

test('the server before the first slash, if there is one of that name', () => {
  const hasServer = (name: string): boolean => name === 'a'
  assert.deepEqual(namedServer('a/b', hasServer), { server: 'a', tool: 'b' })
  assert.deepEqual(namedServer('a/b/c', hasServer), { server: 'a', tool: 'b/c' })
  assert.deepEqual(namedServer('a/', hasServer), { server: 'a', tool: '' })
  for (const name of ['b', 'x/b', '/b', 'a', '']) assert.equal(namedServer(name, hasServer), null)
})

test('a tool is found where one server offers it, also one with a slash in its name', () => {
  const offers = [offer('a', ['x', 'y/z']), offer('b', ['x', 'w']), offer('c', null, 'down')]
  assert.deepEqual(findTool('w', offers), { ok: true, server: 'b', tool: 'w' })
  assert.deepEqual(findTool('y/z', offers), { ok: true, server: 'a', tool: 'y/z' })
  const both = findTool('x', offers)
  assert.ok(!both.ok && !both.result.ok && both.result.isFinal)
  assert.equal(
    messageOf(both.result),
    'mcp tool "x" is offered by more than one server: name one of a/x, b/x',
  )
})

test('what is unknown is unknown for good only where every server was asked', () => {
  const reached = unknownTool('n', [offer('a', ['x']), offer('b', [])])
  assert.equal(messageOf(reached), 'unknown mcp tool "n" (available: a/x)')
  assert.ok(!reached.ok && reached.isFinal)
  const down = unknownTool('n', [offer('a', null, 'it ended (exit status 1)')])
  assert.equal(
    messageOf(down),
    'unknown mcp tool "n" (available: none; not reached: a: it ended (exit status 1))',
  )
  assert.ok(!down.ok && !down.isFinal)
})

test('the names in a message are bounded', () => {
  const tools = Array.from({ length: 10_000 }, (_, at) => `tool${at}`)
  assert.ok(messageOf(unknownTool('n', [offer('a', tools)])).length < 3000)
})
