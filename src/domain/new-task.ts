import type { Graph } from './graph-record.ts'
import { normalize } from './normalize.ts'
import type { SubmittedTask, Task } from './task.ts'

/** The last time that RFC 3339 can say. */
const LATEST_MS = Date.UTC(10_000, 0) - 1

/** When a task may run: the later of its time and its delay; 0 = at once. */
const runAtOf = (submitted: SubmittedTask, createdMs: number): number =>
  submitted.delayMs > 0
    ? Math.min(LATEST_MS, Math.max(submitted.runAtMs, createdMs + submitted.delayMs))
    : Math.max(0, submitted.runAtMs)

/** A task at the beginning of its life. */
export const newTask = (
  submitted: SubmittedTask,
  identity: {
    readonly key: number
    readonly graph: Graph
    readonly createdMs: number
    readonly handleId: string
    readonly attempt: number
    /** What the record says already; a convenience type makes it `os` by itself. */
    readonly executionCategory?: 'os' | ''
  },
): Task => {
  const normalized = normalize(submitted)
  const runAtMs = runAtOf(submitted, identity.createdMs)
  return {
    key: identity.key,
    id: submitted.id,
    type: normalized.type,
    toolName: normalized.toolName,
    executionCategory: identity.executionCategory || normalized.executionCategory,
    paramsJson: submitted.paramsJson,
    inputJson: normalized.inputJson,
    annotationsJson: submitted.annotationsJson,
    dependsOn: submitted.dependsOn,
    retry: submitted.retry,
    timeoutMs: submitted.timeoutMs,
    handleId: identity.handleId,
    createdMs: identity.createdMs,
    priority: submitted.priority,
    runAtMs,
    allowFailure: submitted.allowFailure,
    runIf: submitted.runIf,
    graph: identity.graph,
    // One with a time is blocked until the scheduler defers it.
    phase: submitted.dependsOn.length === 0 && runAtMs === 0 ? 'ready' : 'blocked',
    // Beside the phase, as each end of a dependency reads both.
    waitingFor: submitted.dependsOn.length,
    updatedMs: identity.createdMs,
    attempt: identity.attempt,
    failures: 0,
    startedMs: 0,
    progress: normalized.type === 'mcp' ? [{ atMs: identity.createdMs, message: 'task accepted' }] : [],
    envelope: null,
    error: '',
    isBad: false,
    ref: -1,
    isInLine: false,
    hasFailedDependency: false,
    dependents: null,
    outside: null,
  }
}
