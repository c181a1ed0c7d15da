import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type McpConfig, readMcpConfig } from '../../../src/mcp/config-file.ts'
import { tempDir } from '../../support/temp-dir.ts'

const ENVIRONMENT = { HOME: '/home/me', TOKEN: 's3cret', EMPTY: '' }

const read = async (t: TestContext, content: unknown): Promise<McpConfig> => {
  const path = join(await tempDir(t), 'mcp.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return readMcpConfig(path, ENVIRONMENT)
}

const problem = async (t: TestContext, content: unknown): Promise<string> => {
  try {
    await read(t, content)
  } catch (error) {
    const { message } = error as Error
    assert.doesNotMatch(message, /\n/)
    assert.doesNotMatch(message, /s3cret/)
    return message
  }
  return assert.fail('it should have been refused')
}

test('servers of both kinds, in their order', async (t) => {
  const { servers, ignored } = await read(t, {
    mcpServers: {
      files: { command: 'npx', args: ['-y', 'files'], env: { A: 'b' }, cwd: '/tmp' },
      bare: { type: 'stdio', command: 'x' },
      web: { url: 'https://example.com/mcp', headers: { 'X-Key': 'y' } },
      typed: { type: 'streamable-http', url: 'http://localhost:1/' },
    },
  })
  assert.deepEqual(servers, [
    { name: 'files', kind: 'stdio', command: 'npx', args: ['-y', 'files'], env: { A: 'b' }, cwd: '/tmp' },
    { name: 'bare', kind: 'stdio', command: 'x', args: [], env: {}, cwd: '' },
    { name: 'web', kind: 'http', url: 'https://example.com/mcp', headers: { 'X-Key': 'y' } },
    { name: 'typed', kind: 'http', url: 'http://localhost:1/', headers: {} },
  ])
  assert.deepEqual(ignored, [])
})

test('variables are put into every text', async (t) => {
  const { servers } = await read(t, {
    mcpServers: {
      a: {
        command: '${HOME}/bin/x',
        args: ['--token=${TOKEN}', '${NONE:-a default}', '${EMPTY:-b}', '[${EMPTY}]', '$HOME ${1}'],
        env: { KEY: '${TOKEN}' },
        cwd: '${HOME}',
      },
      b: { url: 'https://${NONE:-example.com}/', headers: { Authorization: 'Bearer ${TOKEN}' } },
    },
  })
  assert.deepEqual(servers, [
    {
      name: 'a',
      kind: 'stdio',
      command: '/home/me/bin/x',
      args: ['--token=s3cret', 'a default', 'b', '[]', '$HOME ${1}'],
      env: { KEY: 's3cret' },
      cwd: '/home/me',
    },
    { name: 'b', kind: 'http', url: 'https://example.com/', headers: { Authorization: 'Bearer s3cret' } },
  ])
})

test('what is switched off is left out, and what means nothing is named', async (t) => {
  const { servers, ignored } = await read(t, {
    mcpServers: {
      off: { command: '${NONE}', disabled: true },
      on: { command: 'x', disabled: false, autoApprove: ['y'], timeout: 60 },
    },
  })
  assert.deepEqual(
    servers.map(({ name }) => name),
    ['on'],
  )
  assert.deepEqual(ignored, ['mcpServers.on.autoApprove', 'mcpServers.on.timeout'])
})

const server = (fields: object): object => ({ mcpServers: { a: fields } })

for (const [what, content, expected] of [
  ['no JSON', '{', /^it is no JSON: /],
  ['no object', '[]', /^expected an object, got Array$/],
  ['no servers', {}, /^mcpServers is missing$/],
  ['a list of servers', { mcpServers: [] }, /^mcpServers: expected an object, got Array$/],
  ['a server that is none', server('x' as never), /^mcpServers\.a: expected an object, got "x"$/],
  ['neither', server({}), /^mcpServers\.a: expected a command or a url, and not both$/],
  ['both', server({ command: 'x', url: 'http://x' }), /^mcpServers\.a: expected a command or a url/],
  ['an empty command', server({ command: '' }), /^mcpServers\.a\.command: expected a text that is not empty/],
  ['a command that is no text', server({ command: 1 }), /^mcpServers\.a\.command: expected string, got 1$/],
  ['args', server({ command: 'x', args: ['y', 5] }), /^mcpServers\.a\.args\.1: expected string, got 5$/],
  ['env', server({ command: 'x', env: { A: 5 } }), /^mcpServers\.a\.env\.A: expected string, got 5$/],
  ['a name in env', server({ command: 'x', env: { 'A=B': '' } }), /^mcpServers\.a\.env: "A=B" is no name/],
  ['a NUL', server({ command: 'x\0' }), /^mcpServers\.a: a NUL/],
  [
    'the old transport',
    server({ type: 'sse', url: 'http://x' }),
    /^mcpServers\.a\.type: expected "http", .* got "sse"$/,
  ],
  [
    'a type for commands',
    server({ type: 'http', command: 'x' }),
    /^mcpServers\.a\.type: expected "stdio" .* got "http"$/,
  ],
  ['an address', server({ url: 'nope' }), /^mcpServers\.a\.url: expected an address like/],
  ['its scheme', server({ url: 'file:///x' }), /^mcpServers\.a\.url: expected an address like/],
  [
    'a header',
    server({ url: 'http://x', headers: { 'a b': '${TOKEN}' } }),
    /^mcpServers\.a\.headers\.a b: not the name/,
  ],
  [
    "a header's value",
    server({ url: 'http://x', headers: { a: '${TOKEN}\nx' } }),
    /^mcpServers\.a\.headers\.a: not the name/,
  ],
  [
    'a variable',
    server({ command: 'x', args: ['${NONE}'] }),
    /^mcpServers\.a\.args\.0: the variable NONE is not set$/,
  ],
  ["a server's name", { mcpServers: { 'a/b': { command: 'x' } } }, /^mcpServers\.a\/b: a server's name/],
] as const) {
  test(`refused, with the field's name: ${what}`, async (t) => {
    assert.match(await problem(t, content), expected)
  })
}

test('a file that is not there', () => {
  assert.throws(() => readMcpConfig('/nowhere/mcp.json', {}), /ENOENT/)
})
