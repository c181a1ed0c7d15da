/**
 * The port through which commands are started. There are two ways behind it, and one suite of tests runs over both:
 * `posix-spawn/`, whose cost does not depend on what the daemon holds in memory, and `node-starter.ts`, which works
 * wherever Node does. @see ./choose-starter.ts
 */
import type { Holdings } from '../../src/pool/messages.ts'
import type { Environment } from './environment.ts'

/**
 * What to start. Standard input is closed. The process leads a group of its own, and a session where the daemon has a
 * terminal, or Node starts it.
 */
export interface ProcessSpec {
  /** A path, or a name that is looked up in PATH. */
  readonly command: string
  readonly args: readonly string[]
  /** `''` for the daemon's own. */
  readonly dir: string
  readonly environment: Environment
  /** Both outputs in one pipe, in the order in which they are written; there is then no `stderr`. */
  readonly isOutputTogether: boolean
}

export interface ProcessExit {
  /** Null where a signal ended it. */
  readonly code: number | null
  /** `SIGKILL` and the like; `signal 34` for one that has no name. */
  readonly signal: string | null
}

/** Our end of a pipe that a process writes to. */
export interface OutputPipe {
  /** `onEnd` comes once, when no more bytes can come; the bytes are then all there. */
  read(onChunk: (chunk: Buffer) => void, onEnd: () => void): void
  /** Stops reading and closes the pipe; it may be over already. */
  close(): void
}

export interface StartedProcess {
  readonly pid: number
  readonly stdout: OutputPipe
  readonly stderr: OutputPipe | null
  /** Settles as soon as the process itself is over, whoever still holds its pipes. */
  readonly exited: Promise<ProcessExit>
}

export type StartResult =
  | { readonly ok: true; readonly process: StartedProcess }
  /** `exec: "x": executable file not found in $PATH` and the like. */
  | { readonly ok: false; readonly reason: string }

export interface ProcessStarter {
  readonly way: 'posix' | 'node'
  /** Both pipes of a started process must be closed in the end, or be read to theirs. */
  start(spec: ProcessSpec): Promise<StartResult>
  /** Takes over what a lost thread left behind: kills its processes and lets go of all it held. */
  inherit(holdings: Holdings): void
}
