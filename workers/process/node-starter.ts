/**
 * Starts processes through node:child_process. It forks, and a fork copies the page tables of the whole daemon: the
 * more the daemon holds, the longer a start takes.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Holdings } from '../../src/pool/messages.ts'
import { errnoText } from '../reasons.ts'
import { findExecutable } from './find-executable.ts'
import { type HoldingsTable, killGroup } from './holdings.ts'
import type { ProcessExit, ProcessSpec, ProcessStarter, StartResult } from './starter.ts'
import { StreamPipe } from './stream-pipe.ts'

/** Node cannot give a child one pipe twice, so a shell joins the two and becomes the command. */
const JOIN_OUTPUTS = ['-c', 'exec "$0" "$@" 2>&1']

const spawnChild = (spec: ProcessSpec, path: string): ChildProcess => {
  const options = {
    ...(spec.dir === '' ? {} : { cwd: spec.dir }),
    env: { ...spec.environment.inherited, ...spec.environment.own },
    detached: true,
    stdio: [
      'ignore' as const,
      'pipe' as const,
      spec.isOutputTogether ? ('ignore' as const) : ('pipe' as const),
    ],
  }
  if (!spec.isOutputTogether) return spawn(path, spec.args, { ...options, argv0: spec.command })
  // `exec` would take a leading dash for an option of its own.
  const target = path.startsWith('-') ? `./${path}` : path
  return spawn('/bin/sh', [...JOIN_OUTPUTS, target, ...spec.args], options)
}

export class NodeStarter implements ProcessStarter {
  readonly way = 'node'
  readonly #table: HoldingsTable

  constructor(table: HoldingsTable) {
    this.#table = table
  }

  async start(spec: ProcessSpec): Promise<StartResult> {
    const found = findExecutable(spec.command, spec.dir)
    if (!found.ok) return found
    const failed = (error: unknown): StartResult => ({
      ok: false,
      reason: `fork/exec ${found.path}: ${errnoText(error)}`,
    })
    let child: ChildProcess
    try {
      child = spawnChild(spec, found.path)
    } catch (error) {
      return failed(error)
    }
    const { pid, stdout, stderr } = child
    if (pid === undefined || stdout === null) {
      return new Promise((resolve) => {
        child.once('error', (error) => {
          stdout?.destroy()
          stderr?.destroy()
          resolve(failed(error))
        })
      })
    }
    // After its start a child reports an error only for a kill() of ours, and we send our signals ourselves.
    child.on('error', () => {})
    return {
      ok: true,
      process: {
        pid,
        stdout: new StreamPipe(stdout),
        stderr: stderr === null ? null : new StreamPipe(stderr),
        exited: this.#exitOf(child, pid),
      },
    }
  }

  /** Nobody can reap them: what was a child of the lost thread stays a zombie until the daemon ends. */
  inherit({ pids }: Holdings): void {
    for (const pid of pids) if (pid > 0) killGroup(pid)
  }

  #exitOf(child: ChildProcess, pid: number): Promise<ProcessExit> {
    const place = this.#table.take()
    place.pid[0] = pid
    return new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        place.pid[0] = 0
        this.#table.giveBack(place)
        resolve({ code, signal })
      })
    })
  }
}
