/**
 * The clients that the pages print, in four languages, run as printed. Those of the English page run against a daemon
 * with tokens and few requests a second, over a line that loses the answer of the first submission and breaks off in
 * the middle of an event; what they print shows that nothing ran twice, and no event was lost.
 */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { badLineTo } from '../support/bad-line.ts'
import { SOON_MS, root, startDaemon } from '../support/daemon.ts'
import { examplesOf } from '../support/doc-blocks.ts'
import { tempDir } from '../support/temp-dir.ts'

interface Language {
  readonly name: string
  readonly file: string
  readonly command: readonly string[]
  /** Prints its version. */
  readonly probe: readonly string[]
  readonly wanted: RegExp
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'python',
    file: 'client.py',
    command: ['python3'],
    probe: ['python3', '--version'],
    wanted: /Python 3\.([89]|\d\d)/,
  },
  { name: 'js', file: 'client.mjs', command: ['node'], probe: ['node', '--version'], wanted: /v\d\d/ },
  {
    name: 'go',
    file: 'main.go',
    command: ['go', 'run'],
    probe: ['go', 'version'],
    wanted: /go1\.(19|[2-9]\d)/,
  },
  {
    name: 'java',
    file: 'Client.java',
    command: ['java'],
    // A runtime without the compiler cannot run a source file.
    probe: ['java', '--list-modules'],
    wanted: /jdk\.compiler@(1[7-9]|[2-9]\d)/,
  },
]

const isThere = ({ probe: [program, ...args], wanted }: Language): boolean => {
  const { stdout } = spawnSync(program!, args, { encoding: 'utf8' })
  return wanted.test(stdout ?? '')
}

const newToken = (file: string, scope: string): string =>
  spawnSync(
    process.execPath,
    [join(root, 'dist/src/cli.js'), 'token', 'new', '--scope', scope, '--file', file],
    {
      encoding: 'utf8',
    },
  ).stdout.trim()

for (const locale of ['en', 'zh']) {
  describe(`docs/${locale}/clients.md`, async () => {
    const page = await readFile(join(root, 'docs', locale, 'clients.md'), 'utf8')
    const printed = examplesOf(page, 'text')[0]!.command.text

    const run = async (
      { name, file, command }: Language,
      folder: string,
      env: Record<string, string>,
    ): Promise<void> => {
      await writeFile(join(folder, file), examplesOf(page, name)[0]!.command.text)
      const [program, ...args] = command
      const { stdout } = await promisify(execFile)(program!, [...args, file], {
        cwd: folder,
        env: { ...process.env, ...env },
        timeout: SOON_MS,
      })
      assert.equal(stdout.trim(), printed)
    }

    for (const language of LANGUAGES) {
      const skip = isThere(language) ? false : `no ${language.name} here`

      test(`${language.name} runs as printed`, { skip }, async (t) => {
        const daemon = await startDaemon()
        t.after(() => daemon.stop())
        await run(language, await tempDir(t), { EXECGO_URL: daemon.url })
      })

      if (locale !== 'en') continue
      test(`${language.name} copes with refusals and lost answers`, { skip }, async (t) => {
        const folder = await tempDir(t)
        const authFile = join(folder, 'auth.json')
        const token = newToken(authFile, 'read,submit,cancel')
        const admin = newToken(authFile, 'admin')
        const daemon = await startDaemon({ env: { EXECGO_AUTH_FILE: authFile, EXECGO_RATE_LIMIT: '3' } })
        t.after(() => daemon.stop())
        const line = await badLineTo(daemon.url)
        t.after(() => line.close())
        await run(language, folder, { EXECGO_URL: line.url, EXECGO_TOKEN: token })
        assert.deepEqual(line.faults, ['submission', 'events'])
        const headers = { authorization: `Bearer ${admin}` }
        const { body } = await daemon.request('GET', '/metrics', undefined, headers)
        assert.equal(body.tasks_total, 3, 'the graph whose answer was lost ran once')
      })
    }
  })
}
