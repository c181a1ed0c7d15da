/** The servers that are measured, each started in the same way: by EXECGO_… variables, its log to /dev/null. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Connection } from './client.ts'
import { get } from './requests.ts'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const UP_WITHIN_MS = 60_000
const DOWN_WITHIN_MS = 60_000
const STDERR_CHARS = 4000
/** A free port may be taken by somebody else before the server has it. */
const TRIES = 3

/** How a server is started. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
}

export const FLOOR: Program = {
  command: process.execPath,
  args: ['--import', 'tsx', fileURLToPath(new URL('./floor.ts', import.meta.url))],
}

export const execgo = (nodeFlags: string): Program => ({
  command: process.execPath,
  args: [...nodeFlags.split(' ').filter((flag) => flag !== ''), join(root, 'dist', 'src', 'cli.js')],
})

export const peer = (command: string): Program => ({ command: '/bin/sh', args: ['-c', command] })

/** Bounds are lifted where there is a setting for them: the largest graphs are over the defaults. */
const LIMITS: Readonly<Record<string, string>> = {
  EXECGO_MAX_BODY_BYTES: String(256 * 1024 * 1024),
  EXECGO_MAX_TASKS_PER_GRAPH: '2000000',
  EXECGO_MAX_UNFINISHED_TASKS: '4000000',
}

/** Those that run now: none outlives this process. */
const running = new Set<Server>()
process.once('exit', () => {
  for (const server of running) server.discard()
})

export class Server {
  readonly port: number
  /** On the disk of the repository: the system's temporary directory may be memory, where a sync costs nothing. */
  readonly dataDir: string
  readonly #child: ChildProcess
  #stderr = ''
  #end = ''

  private constructor(program: Program, port: number, grpcPort: number, maxConcurrency: number) {
    this.port = port
    mkdirSync(join(root, 'data'), { recursive: true })
    this.dataDir = mkdtempSync(join(root, 'data', 'bench-'))
    // A group of its own, so that a shell and what it started end together.
    this.#child = spawn(program.command, program.args, {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        ...LIMITS,
        EXECGO_ADDR: `127.0.0.1:${port}`,
        EXECGO_GRPC_ADDR: `127.0.0.1:${grpcPort}`,
        EXECGO_DATA_DIR: this.dataDir,
        EXECGO_MAX_CONCURRENCY: String(maxConcurrency),
      },
    })
    running.add(this)
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS)
    })
    this.#child.once('error', (error) => {
      this.#end = error.message
    })
    this.#child.once('exit', (code, signal) => {
      this.#end = `ended with ${code ?? signal}`
    })
  }

  /** Resolves when it answers. */
  static async start(program: Program, maxConcurrency = 10): Promise<Server> {
    for (let tries = 1; ; tries++) {
      const [port, grpcPort] = await freePorts()
      const server = new Server(program, port, grpcPort, maxConcurrency)
      try {
        await server.#answers()
        return server
      } catch (error) {
        server.discard()
        if (tries === TRIES || !/address already in use|EADDRINUSE/i.test(server.#stderr)) throw error
      }
    }
  }

  /** Of the process that was started; it may have others below it. */
  get pid(): number {
    return this.#child.pid!
  }

  /** Ends it gracefully (a profile is written then), and removes what it kept. */
  async stop(): Promise<void> {
    if (this.#end === '') this.#signal('SIGTERM')
    for (const end = Date.now() + DOWN_WITHIN_MS; this.#end === '' && Date.now() < end; ) await sleep(5)
    this.discard()
  }

  /** Ends it at once. */
  discard(): void {
    this.#signal('SIGKILL')
    running.delete(this)
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 3 })
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
    } catch {
      // It has ended.
    }
  }

  async #answers(): Promise<void> {
    for (const end = Date.now() + UP_WITHIN_MS; ; ) {
      if (this.#end !== '') throw new Error(`the server ${this.#end}: ${this.#stderr}`)
      if (Date.now() > end) throw new Error(`the server does not answer: ${this.#stderr}`)
      const connection = await Connection.open(this.port).catch(() => null)
      if (connection !== null) {
        const answer = await connection.ask(get('/health')).catch(() => null)
        connection.close()
        if (answer?.status === 200) return
      }
      await sleep(10)
    }
  }
}

const freePorts = async (): Promise<[number, number]> => {
  const servers = [createServer(), createServer()]
  const ports = servers.map(
    (server) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
      }),
  )
  const [port, grpcPort] = await Promise.all(ports)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return [port!, grpcPort!]
}
