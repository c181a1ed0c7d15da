/** The real daemon as a child process, on free ports and in a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { fetch } from './checked-fetch.ts'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** For a program of Node that asks with its own fetch. */
export const checkedFetchFlags: readonly string[] = [
  '--import',
  'tsx',
  '--import',
  new URL('use-checked-fetch.ts', import.meta.url).href,
]

export interface Answer {
  readonly status: number
  readonly body: any
  readonly headers: Headers
}

/** One HTTP request, of JSON; a text goes as it is. Throws where the answer is not as the API's document says. */
export const request = async (
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> => {
  const response = await fetch(url, {
    method,
    ...(body === undefined
      ? { headers }
      : {
          body: typeof body === 'string' ? body : JSON.stringify(body),
          headers: { 'content-type': 'application/json', ...headers },
        }),
  })
  const text = await response.text()
  const { status } = response
  return { status, body: text === '' ? null : JSON.parse(text), headers: response.headers }
}

/** A bound on anything that should be over in a moment, wide enough for a busy machine. */
export const SOON_MS = 60_000

export interface DaemonOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Kept after stop() when it is given. */
  readonly dataDir?: string
  readonly cwd?: string
  /** From the sources through tsx, instead of the build. */
  readonly fromSource?: boolean
}

export class TestDaemon {
  readonly child: ChildProcess
  readonly dataDir: string
  readonly logLines: string[] = []
  stderr = ''
  url = ''
  grpcAddress = ''
  readonly exited: Promise<number | string>
  readonly #ownsDataDir: boolean

  constructor(child: ChildProcess, dataDir: string, ownsDataDir: boolean) {
    this.child = child
    this.dataDir = dataDir
    this.#ownsDataDir = ownsDataDir
    this.exited = once(child, 'exit').then(
      ([code, signal]: (number | string | null)[]) => code ?? signal ?? 'unknown',
    )
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.logLines.push(line)
      if (!line.includes('"execgo is listening"')) return
      const fields = JSON.parse(line) as { addr: string; grpc_addr: string }
      this.url = `http://${fields.addr}`
      this.grpcAddress = fields.grpc_addr
      child.emit('listening')
    })
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
  }

  /** Resolves once it answers; rejects with what it said when it ends instead. */
  async listening(): Promise<this> {
    if (this.url !== '') return this
    await Promise.race([
      once(this.child, 'listening'),
      this.exited.then((code) => {
        throw new Error(`the daemon ended with ${code}: ${this.stderr}${this.logLines.join('\n')}`)
      }),
    ])
    return this
  }

  /** Stops gracefully; resolves to the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal)
    const code = await this.exited
    if (this.#ownsDataDir) await rm(this.dataDir, { recursive: true, force: true })
    return code
  }

  /** Ends at once, as a crash would. */
  async crash(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    return request(this.url + path, method, body, headers)
  }

  /** Submits tasks that must be accepted. */
  async submit(tasks: readonly object[]): Promise<string[]> {
    const { status, body } = await this.request('POST', '/tasks', { tasks })
    if (status !== 202) throw new Error(`not accepted: ${status} ${JSON.stringify(body)}`)
    return body.task_ids
  }

  async get(id: string): Promise<any> {
    return (await this.request('GET', `/tasks/${encodeURIComponent(id)}`)).body
  }

  /** Resolves to the task once `isSo` holds of it. */
  async until(id: string, isSo: (task: any) => boolean): Promise<any> {
    for (const end = Date.now() + SOON_MS; ; ) {
      const task = await this.get(id)
      if (isSo(task)) return task
      if (Date.now() > end) throw new Error(`gave up waiting for ${id}: ${JSON.stringify(task)}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Resolves to the task once it is over. */
  async settled(id: string): Promise<any> {
    return this.until(id, isOver)
  }

  /** Every task, once all of them are over. */
  async allSettled(): Promise<any[]> {
    for (const end = Date.now() + SOON_MS; ; ) {
      const { body } = await this.request('GET', '/tasks')
      if (body.every(isOver)) return body
      if (Date.now() > end) throw new Error('gave up waiting for all tasks')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

const isOver = (task: { status: string }): boolean => ['success', 'failed', 'skipped'].includes(task.status)

/** Spawns it; `await daemon.listening()` waits until it answers. */
export const spawnDaemon = async (options: DaemonOptions = {}): Promise<TestDaemon> => {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'execgo-test-')))
  const program = options.fromSource
    ? ['--import', 'tsx', join(root, 'src', 'cli.ts')]
    : [join(root, 'dist', 'src', 'cli.js')]
  const child = spawn(
    process.execPath,
    [
      ...program,
      '-addr',
      '127.0.0.1:0',
      '-grpc-addr',
      '127.0.0.1:0',
      '-data-dir',
      dataDir,
      ...(options.args ?? []),
    ],
    { cwd: options.cwd ?? root, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  return new TestDaemon(child, dataDir, options.dataDir === undefined)
}

export const startDaemon = async (options: DaemonOptions = {}): Promise<TestDaemon> =>
  (await spawnDaemon(options)).listening()
