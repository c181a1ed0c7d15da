/**
 * What the pages print is what the daemon does: every bash block that is not marked `no-run` runs as printed, page by
 * page, against a daemon like the one that `npm start` starts, and a json or text block after it is the answer.
 * In a json block `"…"` stands for further keys; times, durations, handles and counts are compared by their kind. In a
 * text block `…` stands for anything. `execgo` is the build, as `npm link` puts it on the PATH.
 *
 * This file alone uses ports 8080 and 50051. Where somebody else holds them for long, the blocks run with free ones in
 * their place.
 */
import assert from 'node:assert/strict'
import { type ExecFileException, execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { PROGRAM } from '../support/cli.ts'
import { SOON_MS, type TestDaemon, root, spawnDaemon } from '../support/daemon.ts'
import { type Example, differences, examplesOf } from '../support/doc-blocks.ts'

const HTTP_PORT = '8080'
const GRPC_PORT = '50051'
/** Of the daemon that a page starts itself. */
const OWN_PORTS = [':8090', ':50061']

/** How long to wait for the ports that the pages name. */
const PORTS_WITHIN_MS = 20_000

const pages = [
  'README.md',
  'README.zh-CN.md',
  ...(await Promise.all(
    ['docs/en', 'docs/zh'].map(async (folder) =>
      (await readdir(join(root, folder))).sort().map((name) => `${folder}/${name}`),
    ),
  )),
].flat()

interface Printed {
  readonly stdout: string
  readonly stderr: string
  readonly problem: ExecFileException | null
}

const bash = (script: string, cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Printed> =>
  new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: SOON_MS }
    execFile('bash', ['-e', '-c', script], options, (problem, stdout, stderr) =>
      resolve({ stdout, stderr, problem }),
    )
  })

/** What is never the same twice, in the texts that `execgo` prints for people. */
const VARYING =
  /\bg-\d+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( \(\d+[smhd] ago\))?|\d\d:\d\d:\d\d\.\d{3}|[\d,]+ +[\d,]+\/s|[\d.]+ ?ms\b|\b[\d.]+s\b/g

/** `…` stands for anything in its line; how wide columns are depends on what is in them. */
const sameText = (stdout: string, printed: string, where: string): void => {
  const [got, wanted] = [stdout, printed].map((text) =>
    text
      .trim()
      .replace(VARYING, '…')
      .replace(/[^\S\n]+/g, ' '),
  )
  const pattern = wanted!.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  if (!new RegExp(`^${pattern.join('.*')}$`).test(got!)) assert.equal(stdout.trim(), printed.trim(), where)
}

const hasTools = (await bash('command -v curl && command -v grep', root)).problem === null

/** `:40000`: nobody listens there. */
const freePort = async (): Promise<string> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return `:${port}`
}

describe('the pages', { skip: hasTools ? false : 'bash, curl or grep is missing' }, () => {
  let folder = ''
  let daemon: TestDaemon
  let note = ''
  let free: readonly string[] = []

  /** Pages name the usual ports; the daemon may have had to take others. */
  const withPorts = (text: string): string =>
    text
      .replaceAll(`localhost:${HTTP_PORT}`, `localhost:${new URL(daemon.url).port}`)
      .replaceAll(`localhost:${GRPC_PORT}`, `localhost:${daemon.grpcAddress.split(':').at(-1)}`)
      .replaceAll(OWN_PORTS[0]!, free[0]!)
      .replaceAll(OWN_PORTS[1]!, free[1]!)

  const start = async (...args: string[]): Promise<TestDaemon> =>
    (
      await spawnDaemon({
        args,
        cwd: folder,
        dataDir: join(folder, 'data'),
        env: { EXECGO_SHELL_POLICY: '' },
      })
    ).listening()

  const startOnUsualPorts = async (): Promise<TestDaemon> => {
    const usual = ['-addr', `127.0.0.1:${HTTP_PORT}`, '-grpc-addr', `127.0.0.1:${GRPC_PORT}`]
    for (const end = Date.now() + PORTS_WITHIN_MS; ; await delay(1000)) {
      try {
        return await start(...usual)
      } catch (error) {
        if (!String(error).includes('EADDRINUSE')) throw error
        if (Date.now() < end) continue
        note = `port ${HTTP_PORT} or ${GRPC_PORT} is taken: the blocks run with free ports in their place`
        return start()
      }
    }
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'execgo-docs-'))
    // What pages name of this repository, and a package that they use.
    for (const name of ['dist', 'examples', 'node_modules', 'proto'])
      await symlink(join(root, name), join(folder, name))
    await mkdir(join(folder, 'bin'))
    await symlink(PROGRAM, join(folder, 'bin', 'execgo'))
    daemon = await startOnUsualPorts()
    free = await Promise.all(OWN_PORTS.map(freePort))
  })

  after(async () => {
    await daemon?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const check = async ({ command, answer }: Example): Promise<void> => {
    const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, EXECGO_URL: daemon.url }
    const { stdout, stderr, problem } = await bash(withPorts(command.text), folder, env)
    const where = `line ${command.line}`
    assert.equal(problem, null, `${where}: ${problem?.message}\n${stdout}\n${stderr}`)
    if (answer === null) return
    const printed = withPorts(answer.text)
    if (answer.language === 'text') sameText(stdout, printed, where)
    else assert.deepEqual(differences(JSON.parse(printed), JSON.parse(stdout)), [], `${where}: ${stdout}`)
  }

  for (const page of pages) {
    test(page, async (t) => {
      if (note !== '') t.diagnostic(note)
      const examples = examplesOf(await readFile(join(root, page), 'utf8'))
      for (const example of examples) {
        if (!example.command.flags.includes('no-run')) await check(example)
      }
    })
  }
})

test('blocks that are not run name scripts and files that exist', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  for (const page of pages) {
    for (const { command } of examplesOf(await readFile(join(root, page), 'utf8'))) {
      for (const [, name] of command.text.matchAll(/npm (?:run )?([\w:]+)/g)) {
        assert.ok(
          ['ci', 'install', 'link', 'pack'].includes(name!) || name! in scripts,
          `${page}:${command.line}: npm ${name}`,
        )
      }
      for (const [, path] of command.text.matchAll(/(?<![\w/])(examples\/[\w./-]*\w)/g))
        await readFile(join(root, path!))
    }
  }
})
