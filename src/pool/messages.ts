/**
 * What crosses the thread border: plain data, in batches, both ways. Each thread has one MessagePort of its own.
 *
 * ```
 * main ── run [assignment …] ──► thread          a batch of attempts to begin at once
 * main ── abort ref ───────────► thread          stop one attempt: its process tree too
 * main ── inherit holdings ────► thread          take over what a lost thread left behind
 * main ── mcp port ────────────► thread          the way to MCP servers that it asked for
 * main ◄── report [outcome …] ── thread          what ended since the last report
 * main ◄── ack ref ───────────── thread          the abort was heard (a thread that does not answer is ended)
 * main ◄── progress ──────────── thread          a line of progress of one attempt
 * main ◄── mcp ───────────────── thread          its first call of an MCP server
 * ```
 */
import type { ErrorCode } from '../domain/runtime.ts'
import type { Rows } from './rows.ts'

/** One attempt of one task, handed to a thread. */
export interface Assignment {
  /** Names the attempt on this thread until its outcome came back. */
  readonly ref: number
  readonly taskId: string
  readonly graphKey: number
  /** `os`, `mcp` or `cli-skills`. */
  readonly category: string
  /** `''` where the task has none. */
  readonly toolName: string
  /** JSON text of the object that the tool reads: `params`, or `input` where there are none; `''` for neither. */
  readonly inputJson: string
  /** From 1. */
  readonly attempt: number
  readonly handleId: string
  /** W3C trace context, `''` for none. */
  readonly traceparent: string
}

export type ToWorker =
  /** Of assignments, see rows.ts. */
  | { readonly type: 'run'; readonly rows: Rows }
  /** `graceMs` lies between SIGTERM and SIGKILL; 0 kills at once. `reason` is what a tool may put in its message. */
  | { readonly type: 'abort'; readonly ref: number; readonly graceMs: number; readonly reason: string }
  | { readonly type: 'inherit'; readonly holdings: Holdings }
  | { readonly type: 'mcp'; readonly port: import('node:worker_threads').MessagePort }
  /** No more work comes: end the session. */
  | { readonly type: 'close' }

/** What one attempt came to, seen from the thread. Why it was aborted is the scheduler's to say. */
export interface Outcome {
  readonly ref: number
  readonly status: 'success' | 'failed' | 'aborted'
  /** JSON text, `''` for none. Also for a failure, where the tool made one. */
  readonly outputJson: string
  /** JSON text of an object, `''` for none. */
  readonly detailsJson: string
  readonly startedMs: number
  readonly finishedMs: number
  /** How long it took by a clock that nobody sets, to the microsecond. */
  readonly ranMs: number
  /** `''` and `unknown` on success. */
  readonly message: string
  readonly code: ErrorCode
  readonly retryable: boolean
  /** A refusal that trying again cannot change. */
  readonly isFinal: boolean
}

export type FromWorker =
  | { readonly type: 'ready'; readonly spawn: SpawnChoice }
  /** Of outcomes. */
  | { readonly type: 'report'; readonly rows: Rows }
  | { readonly type: 'ack'; readonly ref: number }
  | { readonly type: 'progress'; readonly ref: number; readonly atMs: number; readonly message: string }
  | { readonly type: 'mcp' }

/** What the thread gets at its start, through Piscina. */
export interface SessionStart {
  readonly port: import('node:worker_threads').MessagePort
  readonly settings: WorkerSettings
  readonly holdings: Holdings
  readonly startTimes: SharedStartTimes
}

/** How long commands took to start: counted by all threads in memory that they share, so that nothing is sent for it. */
export interface SharedStartTimes {
  /** Upper bounds of the buckets. */
  readonly boundsMs: Float64Array
  /** How many fell into each bucket and in none before it; then those past all bounds, then all times in µs. */
  readonly counts: BigInt64Array<SharedArrayBuffer>
}

/** How a thread starts commands, by posix_spawn or node:child_process. */
export interface SpawnChoice {
  readonly way: 'posix' | 'node'
  /** Why it is not posix_spawn, `''` where it is, or where it was not to be. */
  readonly reason: string
}

/** Two pipes with two ends each. */
export const DESCRIPTORS_PER_COMMAND = 4

/** What the commands of one thread hold, in memory that outlives it; 0 for none. */
export interface Holdings {
  /** Process group leaders, one a command: the main thread kills them when the thread is lost. */
  readonly pids: Int32Array<SharedArrayBuffer>
  /** What Node does not know of, for each of those commands: another thread closes it then. */
  readonly descriptors: Int32Array<SharedArrayBuffer>
}

/** What tools may know of the configuration. Plain data, the same for every thread. */
export interface WorkerSettings {
  /** `allow-list`, `open` or `strict`. */
  readonly shellPolicy: 'allow-list' | 'open' | 'strict'
  /** How commands are started; `auto` is posix_spawn where that works. */
  readonly spawn: 'auto' | 'posix' | 'node'
  /** Absolute paths or file URLs of modules that bring further tools. */
  readonly toolModules: readonly string[]
  /** Most bytes that stdout and stderr of a command keep, each. */
  readonly outputLimitBytes: number
  /** Most bytes of an HTTP answer's body. */
  readonly httpBodyLimitBytes: number
  /** Largest file that `file` reads. */
  readonly fileReadLimitBytes: number
  /** The folder that `file` stays in, without symbolic links; `''` for none. */
  readonly fileRoot: string
  /** `public`: `http` and `tcp` reach public addresses only. */
  readonly netPolicy: 'any' | 'public'
  /** Whether MCP servers are configured; without them `mcp` echoes. */
  readonly hasMcpServers: boolean
}
