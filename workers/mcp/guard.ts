/**
 * Sees to it that no server outlives the daemon, also where that one is killed: a small shell in a session of its
 * own that is told the servers' process groups, and kills them once its standard input is at its end. The kernel closes
 * that pipe whatever the daemon ends by. A good server ends by itself then, as its own standard input ends too.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { McpLog } from './log.ts'

/** Two seconds lie between SIGTERM and SIGKILL. Of many lines the last one counts. */
const SCRIPT = `
groups=
while read -r line; do groups=$line; done
for group in $groups; do kill -s TERM -- "-$group"; done 2>/dev/null
tries=0
while [ $tries -lt 20 ]; do
  alive=
  for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && alive="$alive $group"; done
  [ -z "$alive" ] && exit 0
  groups=$alive
  tries=$((tries + 1))
  sleep 0.1
done
for group in $groups; do kill -s KILL -- "-$group"; done 2>/dev/null
`

const RESTART_AFTER_MS = 1000

export class ServerGuard {
  readonly #log: McpLog
  readonly #path: string
  readonly #groups = new Set<number>()
  #shell: ChildProcess | null = null
  #isOver = false

  /** @param path of the shell */
  constructor(log: McpLog, path = '/bin/sh') {
    this.#log = log
    this.#path = path
  }

  /** @param group the pid of the process that leads it */
  add(group: number): void {
    this.#groups.add(group)
    this.#tell()
  }

  /** Nothing of the group is alive: its number may soon be somebody else's. */
  remove(group: number): void {
    this.#groups.delete(group)
    this.#tell()
  }

  /** Lets the shell end; what it was not told to forget is killed. */
  close(): void {
    this.#isOver = true
    this.#shell?.stdin?.end()
  }

  #tell(): void {
    if (this.#isOver) return
    this.#shell ??= this.#open()
    this.#shell.stdin?.write(`${[...this.#groups].join(' ')}\n`)
  }

  #open(): ChildProcess {
    const shell = spawn(this.#path, ['-c', SCRIPT], {
      // Signals to the daemon's group are not for it.
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      env: process.env['PATH'] === undefined ? {} : { PATH: process.env['PATH'] },
    })
    shell.once('error', ({ message }) => {
      this.#isOver = true
      this.#log(
        'warn',
        { reason: message },
        'there is no guard: an MCP server that ignores the end of its input could outlive a daemon that is killed',
      )
    })
    shell.once('exit', () => {
      if (this.#isOver) return
      this.#log('warn', {}, 'the guard of the MCP servers ended; another takes its place')
      setTimeout(() => {
        this.#shell = null
        this.#tell()
      }, RESTART_AFTER_MS)
    })
    shell.stdin?.on('error', () => {})
    return shell
  }
}
