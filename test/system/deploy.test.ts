/** What is in deploy/ and .github/ fits the daemon: names of settings, paths, ports, and the times that a stop takes. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { access, cp, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { USAGE } from '../../src/config.ts'
import { root, spawnDaemon, startDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)
const has = (program: string): Promise<boolean> =>
  run('bash', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  )

const textOf = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
const yamlOf = async (path: string): Promise<any> => parse(await textOf(path))
const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))

/** Of a daemon that nobody gave another one, with some seconds to kill and to save. */
const STOP_TAKES_S = Number(/EXECGO_SHUTDOWN_TIMEOUT +default (\d+)/.exec(USAGE)![1]) + 5

test('every setting that is named exists', async () => {
  const settings = new Set(USAGE.match(/EXECGO_\w+/g))
  const pages = (await filesIn('docs')).filter((path) => path.endsWith('deployment.md'))
  for (const path of ['Dockerfile', 'compose.yaml', ...(await filesIn('deploy')), ...pages]) {
    for (const name of (await textOf(path)).match(/EXECGO_\w+/g) ?? [])
      assert.ok(settings.has(name), `${path}: ${name}`)
  }
})

describe('the manifests for Kubernetes', async () => {
  const { spec } = await yamlOf('deploy/kubernetes/statefulset.yaml')
  const service = await yamlOf('deploy/kubernetes/service.yaml')
  const pod = spec.template.spec
  const [container] = pod.containers

  test('fit each other', async () => {
    assert.equal(spec.replicas, 1, 'a data directory has one daemon')
    assert.equal(spec.serviceName, service.metadata.name)
    for (const labels of [spec.selector.matchLabels, service.spec.selector])
      assert.deepEqual(labels, spec.template.metadata.labels)
    const ports = container.ports.map(({ name, containerPort }: any) => [name, containerPort])
    assert.deepEqual(
      service.spec.ports.map(({ targetPort, port }: any) => [targetPort, port]),
      ports,
    )
    const names = [...pod.volumes.map(({ name }: any) => name), spec.volumeClaimTemplates[0].metadata.name]
    assert.deepEqual(container.volumeMounts.map(({ name }: any) => name).sort(), names.sort())
    assert.ok(pod.terminationGracePeriodSeconds >= STOP_TAKES_S)
    const { resources, images } = await yamlOf('deploy/kubernetes/kustomization.yaml')
    assert.equal(images[0].name, container.image)
    assert.equal(images[0].newTag, JSON.parse(await textOf('package.json')).version)
    for (const path of resources) await access(join(root, 'deploy/kubernetes', path))
  })

  test('fit the image', async () => {
    const dockerfile = await textOf('Dockerfile')
    const mounted = container.volumeMounts.map(({ mountPath }: any) => mountPath)
    for (const path of [/EXECGO_DATA_DIR=(\S+)/, /^WORKDIR (\S+)(?![\s\S]*^WORKDIR)/m])
      assert.ok(mounted.includes(path.exec(dockerfile)![1]), `${path}`)
    const { runAsUser, runAsGroup } = pod.securityContext
    assert.equal(`${runAsUser}:${runAsGroup}`, /^USER (\S+)/m.exec(dockerfile)![1])
    for (const { containerPort } of container.ports)
      assert.match(dockerfile, new RegExp(`EXECGO_\\w*ADDR=:${containerPort}\\b`))
  })

  test('the tokens are where the daemon looks for them, in a file that it takes', async (t) => {
    const [{ value }] = container.env.filter(({ name }: any) => name === 'EXECGO_AUTH_FILE')
    const [tokens] = pod.volumes.filter(({ secret }: any) => secret !== undefined)
    const { mountPath } = container.volumeMounts.find(({ name }: any) => name === tokens.name)
    const { secretGenerator } = await yamlOf('deploy/kubernetes/kustomization.yaml')
    assert.equal(secretGenerator[0].name, tokens.secret.secretName)
    assert.equal(value, `${mountPath}/${secretGenerator[0].files[0]}`)
    const file = join(await tempDir(t), 'auth.json')
    await writeFile(file, '{"tokens": []}', { mode: tokens.secret.defaultMode })
    const daemon = await (await spawnDaemon({ env: { EXECGO_AUTH_FILE: file } })).listening()
    assert.equal(await daemon.stop(), 0)
  })

  test('what is probed answers', async () => {
    const daemon = await startDaemon()
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      const { path, port } = container[probe].httpGet
      assert.equal((await daemon.request('GET', path)).status, 200, path)
      assert.equal(port, 'http')
    }
    await daemon.stop()
  })

  test('kubectl puts them together', async (t) => {
    if (!(await has('kubectl'))) return t.skip('kubectl is missing')
    const folder = join(await tempDir(t), 'kubernetes')
    await cp(join(root, 'deploy', 'kubernetes'), folder, { recursive: true })
    await writeFile(join(folder, 'auth.json'), '{"tokens": []}')
    const { stdout } = await run('kubectl', ['kustomize', folder])
    assert.deepEqual(stdout.match(/^kind: \w+/gm), ['kind: Secret', 'kind: Service', 'kind: StatefulSet'])
  })
})

describe('the unit for systemd', async () => {
  const path = 'deploy/systemd/execgo.service'
  const unit = await textOf(path)
  const settingOf = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? ''

  test('ends later than the daemon needs, and leaves the ending to it', () => {
    assert.equal(settingOf('KillMode'), 'mixed')
    assert.ok(Number(settingOf('TimeoutStopSec')) >= STOP_TAKES_S)
  })

  test('may write where it has its data, and has a user', async () => {
    const folders = settingOf('StateDirectory').split(' ')
    const dataDir = /EXECGO_DATA_DIR=(\S+)/.exec(unit)![1]
    assert.ok(folders.includes(dataDir!.replace('/var/lib/', '')))
    assert.ok(folders.includes(settingOf('WorkingDirectory').replace('/var/lib/', '')))
    assert.match(
      await textOf('deploy/systemd/execgo.sysusers.conf'),
      new RegExp(`^u ${settingOf('User')} `, 'm'),
    )
  })

  test('systemd takes it', async (t) => {
    if (!(await has('systemd-analyze'))) return t.skip('systemd-analyze is missing')
    const copy = join(await tempDir(t), 'execgo.service')
    await writeFile(copy, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`))
    const { stdout, stderr } = await run('systemd-analyze', ['verify', copy])
    assert.equal(stdout + stderr, '')
  })
})

test('workflows run what CI runs, by actions that nobody can change', async () => {
  for (const path of await filesIn('.github')) {
    if (!path.endsWith('.yml')) continue
    assert.ok(await yamlOf(path), path)
    for (const [, version] of (await textOf(path)).matchAll(/uses: \S+@(\S+)/g))
      assert.match(version!, /^[0-9a-f]{40}$/, path)
  }
  const { test: ci } = (await yamlOf('.github/workflows/ci.yml')).jobs
  const { npm } = (await yamlOf('.github/workflows/release.yml')).jobs
  for (const { steps } of [ci, npm]) assert.ok(steps.some((step: any) => step.run === '.ci/run'))
  assert.equal(npm.permissions['id-token'], 'write')
  const { engines } = JSON.parse(await textOf('package.json'))
  assert.ok(ci.strategy.matrix.node.includes(Number(/\d+/.exec(engines.node)![0])))
})
