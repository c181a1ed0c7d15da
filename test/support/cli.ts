/** The real program as a child process, as a shell starts it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { SOON_MS, root } from './daemon.ts'

export interface Ended {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** For stdin; it is closed after it. */
  readonly input?: string
}

export const PROGRAM = join(root, 'dist', 'src', 'cli.js')

/** Without what the machine's own environment would change. */
const environment = (env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => {
  const { NO_COLOR, FORCE_COLOR, EXECGO_URL, EXECGO_TOKEN, ...others } = process.env
  return { ...others, ...env }
}

/** One that runs. */
export class Running {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly ended: Promise<Ended>

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      child.emit('output')
    })
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      child.emit('output')
    })
    const overdue = setTimeout(() => child.kill('SIGKILL'), SOON_MS)
    this.ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
      clearTimeout(overdue)
      child.emit('output')
      return { code: code ?? signal ?? 'unknown', stdout: this.stdout, stderr: this.stderr }
    })
  }

  /** Resolves when stdout or stderr has said it. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stdout) && !pattern.test(this.stderr)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`it never said ${pattern}: ${this.stdout}${this.stderr}`)
      await once(this.child, 'output')
    }
  }
}

export const startCli = (words: readonly string[], { env, cwd, input }: CliOptions = {}): Running => {
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    cwd: cwd ?? root,
    env: environment(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  return new Running(child)
}

export const cli = (words: readonly string[], options?: CliOptions): Promise<Ended> =>
  startCli(words, options).ended

/** Whether this machine has util-linux's `script`, which gives a program a terminal. */
export const hasTerminals = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

/** In a terminal of 80 columns, where stdout and stderr are the same. */
export const startInTerminal = (line: string, { env, cwd }: CliOptions = {}): Running => {
  const child = spawn('script', ['-qec', `stty cols 80 rows 24; ${line}`, '/dev/null'], {
    cwd: cwd ?? root,
    env: environment({ TERM: 'xterm-256color', EXECGO: `${process.execPath} ${PROGRAM}`, ...env }),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  return new Running(child)
}

/** As {@link startInTerminal}, to its end; lines end as they do in files. `$EXECGO` is the program. */
export const inTerminal = async (line: string, options?: CliOptions): Promise<Ended> => {
  const ended = await startInTerminal(line, options).ended
  return { ...ended, stdout: ended.stdout.replaceAll('\r\n', '\n') }
}
