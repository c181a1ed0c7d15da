/**
 * The package as npm would publish it: packed, installed in an empty folder without install scripts, and used from there.
 * It needs npm's registry for the dependencies; without one it is skipped, but for CI.
 */
import assert from 'node:assert/strict'
import { type ExecFileException, execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fetch } from '../support/checked-fetch.ts'
import { TestDaemon, root } from '../support/daemon.ts'

/** An install from a cold cache, on a slow line. */
const INSTALL_WITHIN_MS = 4 * 60_000

const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  version: string
  bin: Record<string, string>
  exports: Record<string, string | { types: string; default: string }>
}

/** This very Node for `#!/usr/bin/env node` and for npm, and nothing of the npm that may run this test. */
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?!config_registry)/i.test(name)),
  ),
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
}

interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly problem: ExecFileException | null
}

const attempt = (program: string, args: readonly string[], cwd: string): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(
      program,
      args,
      { cwd, env, timeout: INSTALL_WITHIN_MS, maxBuffer: 2 ** 26 },
      (problem, stdout, stderr) => resolve({ stdout, stderr, problem }),
    )
  })

const run = async (program: string, args: readonly string[], cwd: string): Promise<string> => {
  const { stdout, stderr, problem } = await attempt(program, args, cwd)
  assert.equal(problem, null, `${program} ${args.join(' ')}: ${problem?.message}\n${stdout}\n${stderr}`)
  return stdout
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string; readonly mode: number }[]
}

const pack = async (...args: string[]): Promise<Packed> =>
  Object.values(
    JSON.parse(await run('npm', ['pack', '--json', '--ignore-scripts', ...args], root)),
  )[0] as Packed

const NO_REGISTRY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/

const sources = async (folder: string): Promise<string[]> =>
  (await readdir(join(root, folder), { recursive: true }))
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path.replace(/\.ts$/, '')}`)

describe('the tarball', () => {
  test('holds what the daemon and its clients need, and nothing else', async () => {
    const { files } = await pack('--dry-run')
    const built = (await Promise.all(['src', 'workers'].map(sources))).flat()
    const docs = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'LICENSE', 'NOTICE']
    assert.deepEqual(
      files.map(({ path }) => path).sort(),
      [
        ...built.flatMap((name) => [`dist/${name}.js`, `dist/${name}.js.map`, `dist/${name}.d.ts`]),
        ...docs.map((name) => `dist/docs/${name}`),
        ...(await readdir(join(root, 'proto'), { recursive: true }))
          .filter((path) => path.endsWith('.proto'))
          .map((path) => `proto/${path}`),
        ...['LICENSE', 'README.md', 'README.zh-CN.md', 'package.json'],
      ].sort(),
    )
    const [command] = files.filter(({ path }) => path === manifest.bin['execgo'])
    assert.equal(command!.mode & 0o111, 0o111, 'npx runs the command')
    for (const target of Object.values(manifest.exports)) {
      for (const path of typeof target === 'string' ? [target] : [target.types, target.default])
        assert.ok(
          files.some((file) => `./${file.path}` === path),
          path,
        )
    }
  })
})

/** What a user writes who has the package only. */
const CONSUMER = `
import { createClient, graph } from 'execgo/client'
const client = createClient({ baseUrl: process.argv[2] ?? '' })
const steps = graph()
  .shell('greet', { command: 'echo', args: ['packed'] })
  .noop('end', {}, { after: ['greet'] })
const { ok, tasks } = await client.run(steps)
console.log(JSON.stringify([ok, tasks.greet.result?.stdout, tasks.end.status]))
`

/** The same for a page, and what must not compile. */
const TYPED = `
import { type Client, createClient, graph } from 'execgo/client'
export const greeting = async (baseUrl: string): Promise<string | undefined> => {
  const client: Client = createClient({ baseUrl })
  const { tasks } = await client.run(graph().shell('greet', { command: 'echo' }))
  // @ts-expect-error: no such step
  tasks.nobody
  // @ts-expect-error: no text
  const wrong: number | undefined = tasks.greet.result?.stdout
  return wrong === undefined ? tasks.greet.result?.stdout : ''
}
`

/** The entries that code imports: `execgo/client` and so on. */
const ENTRIES = Object.keys(manifest.exports)
  .filter((entry) => entry !== './package.json')
  .map((entry) => `execgo${entry.slice(1)}`)

describe('installed in an empty folder, without install scripts', () => {
  let folder = ''
  /** Why nothing below can run. */
  let missing = ''

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'execgo-packed-'))
    await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}')
    const { filename } = await pack('--pack-destination', folder)
    const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
    const { problem, stderr } = await attempt('npm', ['install', ...flags, `./${filename}`], folder)
    if (problem !== null && NO_REGISTRY.test(stderr) && !process.env['CI'])
      missing = 'no registry is reachable'
    else assert.equal(problem, null, `${problem?.message}\n${stderr}`)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test('npx execgo says its version', async (t) => {
    if (missing !== '') return t.skip(missing)
    assert.equal(await run('npx', ['--no-install', 'execgo', '-version'], folder), `v${manifest.version}\n`)
  })

  test('the daemon runs the graphs of its client', async (t) => {
    if (missing !== '') return t.skip(missing)
    const dataDir = join(folder, 'data')
    const flags = ['-addr', '127.0.0.1:0', '-grpc-addr', '127.0.0.1:0', '-data-dir', dataDir]
    const child = spawn(join(folder, 'node_modules', '.bin', 'execgo'), flags, {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const daemon = await new TestDaemon(child, dataDir, false).listening()
    try {
      await writeFile(join(folder, 'consumer.js'), CONSUMER)
      const printed = await run(process.execPath, ['consumer.js', daemon.url], folder)
      assert.equal(printed, '[true,"packed\\n","success"]\n')
      // What is read from files of the package: the API's document, its page, the proto for reflection.
      assert.equal((await daemon.request('GET', '/openapi.json')).status, 200)
      assert.equal((await fetch(`${daemon.url}/docs`)).status, 200)
    } finally {
      assert.equal(await daemon.stop(), 0)
    }
  })

  test('each entry can be imported', async (t) => {
    if (missing !== '') return t.skip(missing)
    const lines = ENTRIES.map((entry) => `assert.ok(Object.keys(await import('${entry}')).length > 0)`)
    await writeFile(
      join(folder, 'entries.js'),
      `import assert from 'node:assert/strict'\n${lines.join('\n')}\n`,
    )
    await run(process.execPath, ['entries.js'], folder)
  })

  const tsc = async (sources: Record<string, string>, options: Record<string, unknown>): Promise<void> => {
    for (const [name, source] of Object.entries(sources)) await writeFile(join(folder, name), source)
    const compilerOptions = { target: 'es2023', strict: true, exactOptionalPropertyTypes: true, noEmit: true }
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { ...compilerOptions, ...options },
        files: Object.keys(sources),
      }),
    )
    const program = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    await run(process.execPath, [program, '-p', 'tsconfig.json'], folder)
  }

  test("a page's code is type-checked, with nothing of Node", async (t) => {
    if (missing !== '') return t.skip(missing)
    const forPages = { lib: ['es2023', 'dom'], types: [] }
    await tsc({ 'page.ts': TYPED }, { module: 'esnext', moduleResolution: 'bundler', ...forPages })
  })

  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    test(`code for Node is type-checked, by ${moduleResolution}`, async (t) => {
      if (missing !== '') return t.skip(missing)
      const imports = ENTRIES.map((entry, at) => `export * as entry${at} from '${entry}'`)
      await tsc(
        { 'consumer.ts': CONSUMER, 'page.ts': TYPED, 'entries.ts': imports.join('\n') },
        {
          module,
          moduleResolution,
          lib: ['es2023'],
          types: ['node'],
          typeRoots: [join(root, 'node_modules', '@types')],
          skipLibCheck: true,
        },
      )
    })
  }
})
