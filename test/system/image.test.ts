/** What the image holds, with the Dockerfile's steps carried out by hand: no container engine is asked for. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { access, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { USAGE } from '../../src/config.ts'
import { certificateIn } from '../support/certificate.ts'
import { TestDaemon, root, spawnDaemon } from '../support/daemon.ts'
import { type Built, build, copyOf, stepsOf } from '../support/dockerfile.ts'

const steps = stepsOf(await readFile(join(root, 'Dockerfile'), 'utf8'))
const textOf = (keyword: string): string => steps.findLast((step) => step.keyword === keyword)!.text

/** Of a daemon that nobody gave another one. */
const SHUTDOWN_TIMEOUT_S = Number(/EXECGO_SHUTDOWN_TIMEOUT +default (\d+)/.exec(USAGE)![1])

/** The exit code of the image's health check. */
const health = (script: string, env: Record<string, string>): Promise<number> =>
  new Promise((resolve) => {
    execFile(process.execPath, [script], { env, timeout: 30_000 }, (problem) =>
      resolve(problem === null ? 0 : Number(problem.code)),
    )
  })

test('what is copied exists, and .dockerignore lets it through', async () => {
  const allowed = (await readFile(join(root, '.dockerignore'), 'utf8'))
    .split('\n')
    .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
  for (const { keyword, text } of steps) {
    if (keyword !== 'COPY' || copyOf(text).from !== '') continue
    for (const source of copyOf(text).sources) {
      await access(join(root, source))
      assert.ok(
        allowed.some((path) => source === path || source.startsWith(`${path}/`)),
        `${source} is not in .dockerignore`,
      )
    }
  }
})

const compose = parse(await readFile(join(root, 'compose.yaml'), 'utf8'))

test('the container of compose.yaml is checked and has its data where the image says', () => {
  assert.equal(textOf('USER'), '1000:1000', 'not root, in numbers')
  assert.deepEqual(JSON.parse(textOf('ENTRYPOINT')), ['tini', '--', 'execgo'])
  const { healthcheck, volumes, environment, secrets, stop_grace_period } = compose.services.execgo
  assert.deepEqual(healthcheck.test, ['CMD', ...JSON.parse(/\[.*\]/.exec(textOf('HEALTHCHECK'))![0])])
  assert.deepEqual(volumes, [`data:${textOf('VOLUME')}`])
  assert.deepEqual(secrets, Object.keys(compose.secrets))
  assert.equal(environment.EXECGO_AUTH_FILE, `/run/secrets/${secrets[0]}`)
  assert.ok(Number.parseInt(stop_grace_period, 10) >= SHUTDOWN_TIMEOUT_S + 5)
})

test('the health check follows the settings of the daemon', async (t) => {
  const script = join(root, 'deploy', 'docker', 'healthcheck.mjs')
  const folder = await mkdtemp(join(tmpdir(), 'execgo-health-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const { cert, key } = certificateIn(folder)
  const tls = { EXECGO_TLS_CERT: cert, EXECGO_TLS_KEY: key }
  for (const env of [{}, tls]) {
    const daemon = await (await spawnDaemon({ env })).listening()
    const { port } = new URL(daemon.url)
    for (const host of ['', '0.0.0.0', '127.0.0.1', 'localhost'])
      assert.equal(await health(script, { ...env, EXECGO_ADDR: `${host}:${port}` }), 0, host)
    await daemon.stop()
    assert.equal(await health(script, { ...env, EXECGO_ADDR: `:${port}` }), 1)
  }
})

describe('the image', () => {
  let folder = ''
  let image: Built
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'execgo-image-'))
    const env = {
      ...process.env,
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      npm_config_prefer_offline: 'true',
    }
    image = await build(steps, root, folder, env)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test('holds the daemon, and no tools of its making', async () => {
    const modules = join(image.folder, 'app', 'node_modules')
    await access(join(modules, 'lmdb'))
    await assert.rejects(access(join(modules, 'typescript')))
    await assert.rejects(access(join(image.folder, 'app', 'src')))
  })

  test('runs', async () => {
    assert.equal(image.workdir, '/work')
    const env = {
      ...process.env,
      ...image.env,
      EXECGO_ADDR: '127.0.0.1:0',
      EXECGO_GRPC_ADDR: '127.0.0.1:0',
      EXECGO_DATA_DIR: join(folder, 'data'),
    }
    const child = spawn(process.execPath, [join(image.folder, 'app/dist/src/cli.js')], {
      cwd: join(image.folder, image.workdir),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const daemon = await new TestDaemon(child, env.EXECGO_DATA_DIR, false).listening()
    const script = join(image.folder, 'app', 'healthcheck.mjs')
    assert.equal(await health(script, { EXECGO_ADDR: new URL(daemon.url).host }), 0)
    await daemon.submit([{ id: 'a', type: 'shell', params: { command: 'pwd' } }])
    assert.equal((await daemon.settled('a')).result.stdout, `${join(image.folder, '/work')}\n`)
    assert.equal(await daemon.stop(), 0)
  })
})
