/** A task as the daemon keeps it. What it looks like on the wire is task-json.ts. */
import type { DependencyEnd } from './dependency.ts'
import type { Graph } from './graph-record.ts'
import type { Phase } from './lifecycle.ts'
import type { Envelope } from './runtime.ts'

/** The categories that run tasks. Everything submitted is one of these, or normalised to one. */
export const CATEGORIES = ['cli-skills', 'mcp', 'os'] as const
export type Category = (typeof CATEGORIES)[number]

/** Once all that a task depends on is over: which of their ends let it run. */
export const RUN_IFS = ['success', 'failure', 'always'] as const
export type RunIf = (typeof RUN_IFS)[number]

/** Ready tasks of a higher priority start first. */
export const DEFAULT_PRIORITY = 5
export const HIGHEST_PRIORITY = 9

/** A task as it was submitted, of the right JSON types and not yet checked any further. */
export interface SubmittedTask {
  readonly id: string
  readonly type: string
  /** JSON text of an object; `''` where it is absent or null. So are `inputJson` and `annotationsJson`. */
  readonly paramsJson: string
  readonly inputJson: string
  readonly annotationsJson: string
  readonly dependsOn: readonly string[]
  /** Attempts beyond the first. */
  readonly retry: number
  /** For one attempt; 0 = none. */
  readonly timeoutMs: number
  /** `''` for none. */
  readonly toolName: string
  /** 0 to 9. */
  readonly priority: number
  /** Not before this time, in milliseconds since 1970; 0 = at once, NaN for a text that is no time. */
  readonly runAtMs: number
  /** The text that is no time, to name it; absent otherwise. */
  readonly runAtText?: string
  /** Not before this long after acceptance, which turns it into `runAtMs`; 0 = at once. */
  readonly delayMs: number
  /** Dependents run although it failed. */
  readonly allowFailure: boolean
  /** May be any text until the graph was planned, which refuses what is none. */
  readonly runIf: RunIf
}

/** A line of an `mcp` task's progress. */
export interface Progress {
  readonly atMs: number
  readonly message: string
}

/**
 * An accepted task. The upper half never changes; the lower half is changed by the scheduler alone.
 * Every field is always there, so that all tasks have one shape.
 */
export interface Task {
  /** Names this record of the id, for good: a resubmitted id gets a new, larger one. Grows with acceptance. */
  readonly key: number
  readonly id: string
  readonly type: Category
  readonly toolName: string
  /** `os` for a task submitted by a convenience type, else `''`. */
  readonly executionCategory: 'os' | ''
  readonly paramsJson: string
  readonly inputJson: string
  readonly annotationsJson: string
  readonly dependsOn: readonly string[]
  readonly retry: number
  readonly timeoutMs: number
  /** `mcp-<digits>`, or `''` for a task without a handle. */
  readonly handleId: string
  readonly createdMs: number
  readonly priority: number
  /** 0 = at once. */
  readonly runAtMs: number
  readonly allowFailure: boolean
  readonly runIf: RunIf
  readonly graph: Graph

  phase: Phase
  updatedMs: number
  /** The last attempt that began, from 1; 0 before the first. */
  attempt: number
  /** Attempts that failed. Those that were lost through no fault of their own do not count against `retry`. */
  failures: number
  /** When the last attempt began; 0 before the first one since the daemon's start. */
  startedMs: number
  /** Empty but for `mcp` tasks. */
  progress: readonly Progress[]
  /** What the last attempt came to, once the task is over. */
  envelope: Envelope | null
  /** `''` for none. */
  error: string
  /** Over in a way that makes its graph fail: failed without leave to, or skipped because of such a one. */
  isBad: boolean

  // Only while it is not over:
  /** Names the attempt under way, -1 for none. */
  ref: number
  /** Whether it is in the queue of those that wait for a slot. */
  isInLine: boolean
  /** How many of the places in `dependsOn` are not over yet. */
  waitingFor: number
  /** Whether one of those that are over failed, was skipped or is gone. */
  hasFailedDependency: boolean
  /** Those that wait for it, `null` for none. One that names it twice is in it twice. */
  dependents: Task[] | null
  /**
   * Of what it depends on, by id, those that are no tasks of its graph, or were over when that was run again: the key
   * of the record that it waits for, or how that had ended. `null` for none. Kept with the task.
   */
  outside: Map<string, number | DependencyEnd> | null
}

/**
 * The JSON text of the object that the task's tool reads, `''` for none: `os` tools read `params` first,
 * `mcp` and `cli-skills` read `input` first.
 */
export const toolInputJson = (task: Task): string =>
  task.type === 'os' ? task.paramsJson || task.inputJson : task.inputJson || task.paramsJson

/** What runs a task, by name: its tool where it is of `os`, else its type. */
export const runnerOf = ({ type, toolName }: Task): string => (type === 'os' ? toolName : type)

/** Handles have many digits, as the original's do, and are never those that somebody makes up by hand. */
const HANDLE_BASE = 1e15

/** The handle of the record with this key. */
export const handleOf = (key: number): string => `mcp-${HANDLE_BASE + key}`

/** The key behind a handle of ours, -1 where there can be none. */
export const keyOfHandle = (handleId: string): number =>
  /^mcp-1\d{15}$/.test(handleId) ? Number(handleId.slice(4)) - HANDLE_BASE : -1
