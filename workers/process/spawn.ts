/**
 * Starts a command. `ProcessStarter` is the seam: what starts processes another way (posix_spawn, which does not
 * copy the daemon's page tables) takes the place of `startProcess` without any tool noticing.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { errnoText } from '../reasons.ts'
import { findExecutable } from './find-executable.ts'

/** What to start. Standard input is closed, and the process leads a session and a group of its own. */
interface ProcessSpec {
  /** A path, or a name that is looked up in PATH. */
  readonly command: string
  readonly args: readonly string[]
  /** `''` for the daemon's own. */
  readonly dir: string
  readonly environment: NodeJS.ProcessEnv
  /** Both outputs in one pipe, in the order in which they are written; there is then no `stderr`. */
  readonly isOutputTogether: boolean
}

export interface ProcessExit {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface StartedProcess {
  readonly pid: number
  readonly stdout: Readable
  readonly stderr: Readable | null
  /** Settles as soon as the process itself is over, whoever still holds its pipes. */
  readonly exited: Promise<ProcessExit>
}

type StartResult =
  | { readonly ok: true; readonly process: StartedProcess }
  /** `exec: "x": executable file not found in $PATH` and the like. */
  | { readonly ok: false; readonly reason: string }

export type ProcessStarter = (spec: ProcessSpec) => Promise<StartResult>

/** Node cannot give a child one pipe twice, so a shell joins the two and becomes the command. */
const JOIN_OUTPUTS = ['-c', 'exec "$0" "$@" 2>&1']

const spawnChild = (spec: ProcessSpec, path: string): ChildProcess => {
  const options = {
    ...(spec.dir === '' ? {} : { cwd: spec.dir }),
    env: spec.environment,
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

/** Starts processes through node:child_process. */
export const startProcess: ProcessStarter = async (spec) => {
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
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  return { ok: true, process: { pid, stdout, stderr, exited } }
}
