/** What the settings keep `shell`, `cli-skills`, `file`, `http` and `tcp` from. @see contract B5 */
import assert from 'node:assert/strict'
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../../../src/domain/json.ts'
import type { WorkerSettings } from '../../../../src/pool/messages.ts'
import { cliSkills } from '../../../../workers/tools/cli-skills.ts'
import { file } from '../../../../workers/tools/file/file.ts'
import { http } from '../../../../workers/tools/http/http.ts'
import { isPublic } from '../../../../workers/tools/net-policy.ts'
import { shell } from '../../../../workers/tools/shell/shell.ts'
import { tcp } from '../../../../workers/tools/tcp.ts'
import type { Tool, ToolResult } from '../../../../workers/tools/tool.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { attemptOf, messageOf, runTool } from '../support.ts'

const run = (tool: Tool, input: JsonObject, settings: Partial<WorkerSettings>): Promise<ToolResult> =>
  runTool(tool, input, attemptOf({ inputJson: JSON.stringify(input), settings }))

const assertDenied = (result: ToolResult, message: RegExp, what = ''): void => {
  assert.match(messageOf(result), message, what)
  assert.ok(!result.ok && result.code === 'denied' && result.isFinal, what)
}

describe('EXECGO_SHELL_POLICY=strict', () => {
  it('refuses scripts, and cli-skills commands off the list', async () => {
    const strict = { shellPolicy: 'strict' } as const
    assertDenied(await run(shell, { script: 'echo hi' }, strict), /scripts are not allowed/)
    assertDenied(
      await run(cliSkills, { command: 'bash', args: ['-c', 'true'] }, strict),
      /not in the allowed/,
    )
    assert.ok((await run(cliSkills, { command: 'echo', args: ['hi'] }, strict)).ok)
    assert.ok((await run(shell, { command: 'echo', args: ['hi'] }, strict)).ok)
  })
})

describe('EXECGO_FILE_ROOT', () => {
  it('lets file do its work below the folder, by relative and absolute paths', async (t) => {
    const fileRoot = await tempDir(t)
    const act = (action: string, path: string, content = '') =>
      run(file, { action, path, content }, { fileRoot })
    assert.ok((await act('write', 'a/b/c.txt', 'one')).ok)
    assert.ok((await act('append', join(fileRoot, 'a/b/c.txt'), ' two')).ok)
    assert.deepEqual((await act('read', 'a/../a/b/c.txt')) as unknown, {
      ok: true,
      output: { content: 'one two', size: 7 },
    })
    const found = await act('stat', '.')
    assert.ok(found.ok && (found.output as JsonObject)['is_dir'] === true)
    assert.ok((await act('delete', 'a/b/c.txt')).ok)
    assert.ok((await act('delete', 'a/b')).ok)
    assert.match(messageOf(await act('read', 'a/b/c.txt')), /no such file or directory$/)
  })

  it('refuses paths and links that lead out, to every action', async (t) => {
    const outside = await tempDir(t)
    const fileRoot = join(outside, 'root')
    await mkdir(join(fileRoot, 'in'), { recursive: true })
    await mkdir(join(outside, 'root-not'))
    await writeFile(join(outside, 'secret'), 'secret')
    await symlink(outside, join(fileRoot, 'out'))
    await symlink(join(outside, 'secret'), join(fileRoot, 'in', 'leaf'))
    await symlink('/nowhere/new', join(fileRoot, 'dangling'))
    const paths = [
      '../secret',
      'in/../../secret',
      `${outside}/secret`,
      '/etc/passwd',
      `${fileRoot}-not/x`,
      '..',
      '/',
    ]
    const links = ['out/secret', 'in/leaf', 'dangling', 'out', 'out/new/x']
    for (const action of ['read', 'write', 'append', 'delete', 'stat']) {
      for (const path of paths)
        assertDenied(
          await run(file, { action, path, content: 'x' }, { fileRoot }),
          /outside of/,
          `${action} ${path}`,
        )
      for (const path of links)
        assertDenied(
          await run(file, { action, path, content: 'x' }, { fileRoot }),
          /symbolic link/,
          `${action} ${path}`,
        )
    }
    assert.equal(await readFile(join(outside, 'secret'), 'utf8'), 'secret')
  })

  it('is not left while a folder is swapped for a link', async (t) => {
    const outside = await tempDir(t)
    const fileRoot = join(outside, 'root')
    await mkdir(join(fileRoot, 'real'), { recursive: true })
    await writeFile(join(fileRoot, 'real', 'f'), 'inside')
    await writeFile(join(outside, 'f'), 'secret')
    await symlink(outside, join(fileRoot, 'link'))
    let isOver = false
    const swapping = (async () => {
      while (!isOver) {
        await rename(join(fileRoot, 'real'), join(fileRoot, 'now'))
        await rename(join(fileRoot, 'now'), join(fileRoot, 'real'))
        await rename(join(fileRoot, 'link'), join(fileRoot, 'now'))
        await rename(join(fileRoot, 'now'), join(fileRoot, 'link'))
        await symlink(join(outside, 'f'), join(fileRoot, 'next'))
        await rename(join(fileRoot, 'next'), join(fileRoot, 'leaf'))
        await writeFile(join(fileRoot, 'next'), 'inside')
        await rename(join(fileRoot, 'next'), join(fileRoot, 'leaf'))
      }
    })()
    for (let round = 0; round < 500; round++) {
      for (const path of ['now/f', 'leaf']) {
        const result = await run(file, { action: 'read', path }, { fileRoot })
        assert.ok(!messageOf(result).includes('secret'), messageOf(result))
      }
      await run(file, { action: 'write', path: 'leaf', content: 'written' }, { fileRoot })
    }
    isOver = true
    await swapping
    assert.equal(await readFile(join(outside, 'f'), 'utf8'), 'secret')
  })
})

describe('EXECGO_NET_POLICY=public', () => {
  const settings = { netPolicy: 'public' } as const

  it('knows what is public', () => {
    for (const address of ['8.8.8.8', '2606:4700:4700::1111', '::ffff:8.8.8.8'])
      assert.ok(isPublic(address), address)
    const others =
      '127.0.0.1 0.0.0.0 10.1.2.3 172.16.0.1 192.168.0.1 169.254.169.254 100.64.0.1 224.0.0.1 255.255.255.255 198.18.0.1 ' +
      ':: ::1 ::ffff:127.0.0.1 ::ffff:a9fe:a9fe ::127.0.0.1 fe80::1 fe80::1%lo fc00::1 fd00:ec2::254 64:ff9b::7f00:1 ' +
      '2002:7f00:1:: 2001:0:7f00:1:: 3fff::1 168.63.129.16 ::ffff:a83f:8110 100.100.100.200 192.0.0.192 ff02::1 localhost 2130706433'
    for (const address of others.split(' ')) assert.ok(!isPublic(address), address)
  })

  it('keeps http and tcp off this machine, however it is written', async (t) => {
    let requests = 0
    const server = createServer((_, answer) => {
      requests++
      answer.end('secret')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => void server.close())
    const { port } = server.address() as AddressInfo
    const hosts =
      '127.0.0.1 localhost LOCALHOST 2130706433 0x7f.1 0177.0.0.1 127.1 0 [::1] [::ffff:127.0.0.1] [::ffff:7f00:1]'
    for (const host of hosts.split(' ')) {
      const url = `http://${host}:${port}/`
      assertDenied(await run(http, { url }, settings), /not a public address/, url)
      const address = `${host}:${port}`
      assert.ok(!(await run(tcp, { address }, settings)).ok, address)
    }
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', ''])
      assertDenied(await run(tcp, { address: `${host}:${port}` }, settings), /not a public address/, host)
    assertDenied(
      await run(http, { url: 'http://169.254.169.254/latest/meta-data' }, settings),
      /not a public/,
    )
    assert.equal(requests, 0)
    assert.ok((await run(http, { url: `http://127.0.0.1:${port}/` }, {})).ok)
  })
})
