/**
 * What crosses the thread border: plain data, in batches, both ways. Each thread has one MessagePort of its own.
 *
 * ```
 * main ── run [assignment …] ──► thread          a batch of attempts to begin at once
 * main ── abort ref ───────────► thread          stop one attempt: its process tree too
 * main ── inherit holdings ────► thread          take over what a lost thread left behind
 * main ◄── report [outcome …] ── thread          what ended since the last report
 * main ◄── ack ref ───────────── thread          the abort was heard (a thread that does not answer is ended)
 * main ◄── progress ──────────── thread          a line of progress of one attempt
 * ```
 */
import type { ErrorCode } from '../domain/runtime.ts'

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
  /** Of assignments, see {@link assignmentRows}. */
  | { readonly type: 'run'; readonly rows: Rows }
  /** `graceMs` lies between SIGTERM and SIGKILL; 0 kills at once. `reason` is what a tool may put in its message. */
  | { readonly type: 'abort'; readonly ref: number; readonly graceMs: number; readonly reason: string }
  | { readonly type: 'inherit'; readonly holdings: Holdings }
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

/** What the thread gets at its start, through Piscina. */
export interface SessionStart {
  readonly port: import('node:worker_threads').MessagePort
  readonly settings: WorkerSettings
  readonly holdings: Holdings
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
}

/**
 * Assignments, or outcomes, as rows of plain values, one after the other in one flat array: copying them to another
 * thread costs a third of what it costs for objects, which carry the names of their fields along.
 */
export type Rows = readonly (string | number)[]

const ASSIGNMENT_WIDTH = 9

export const assignmentRows = (assignments: readonly Assignment[]): Rows => {
  const rows: (string | number)[] = []
  for (const assignment of assignments) {
    const { ref, taskId, graphKey, category, toolName, inputJson, attempt, handleId, traceparent } =
      assignment
    rows.push(ref, taskId, graphKey, category, toolName, inputJson, attempt, handleId, traceparent)
  }
  return rows
}

export const assignmentsIn = (rows: Rows): Assignment[] => {
  const assignments: Assignment[] = []
  for (let at = 0; at < rows.length; at += ASSIGNMENT_WIDTH) {
    assignments.push({
      ref: rows[at] as number,
      taskId: rows[at + 1] as string,
      graphKey: rows[at + 2] as number,
      category: rows[at + 3] as string,
      toolName: rows[at + 4] as string,
      inputJson: rows[at + 5] as string,
      attempt: rows[at + 6] as number,
      handleId: rows[at + 7] as string,
      traceparent: rows[at + 8] as string,
    })
  }
  return assignments
}

const OUTCOME_WIDTH = 10

export const outcomeRows = (outcomes: readonly Outcome[]): Rows => {
  const rows: (string | number)[] = []
  for (const outcome of outcomes) {
    const { ref, status, outputJson, detailsJson, startedMs, finishedMs, ranMs, message, code } = outcome
    const flags = (outcome.retryable ? RETRYABLE : 0) | (outcome.isFinal ? FINAL : 0)
    rows.push(ref, status, outputJson, detailsJson, startedMs, finishedMs, ranMs, message, code, flags)
  }
  return rows
}

export const outcomesIn = (rows: Rows): Outcome[] => {
  const outcomes: Outcome[] = []
  for (let at = 0; at < rows.length; at += OUTCOME_WIDTH) {
    const flags = rows[at + 9] as number
    outcomes.push({
      ref: rows[at] as number,
      status: rows[at + 1] as Outcome['status'],
      outputJson: rows[at + 2] as string,
      detailsJson: rows[at + 3] as string,
      startedMs: rows[at + 4] as number,
      finishedMs: rows[at + 5] as number,
      ranMs: rows[at + 6] as number,
      message: rows[at + 7] as string,
      code: rows[at + 8] as ErrorCode,
      retryable: (flags & RETRYABLE) !== 0,
      isFinal: (flags & FINAL) !== 0,
    })
  }
  return outcomes
}

const RETRYABLE = 1
const FINAL = 2
