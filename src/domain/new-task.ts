import { normalize } from './normalize.ts'
import type { SubmittedTask, Task } from './task.ts'

/** A task at the beginning of its life. */
export const newTask = (
  submitted: SubmittedTask,
  identity: {
    readonly key: number
    readonly createdMs: number
    readonly handleId: string
    readonly attempt: number
    /** What the record says already; a convenience type makes it `os` by itself. */
    readonly executionCategory?: 'os' | ''
  },
): Task => {
  const normalized = normalize(submitted)
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
    phase: submitted.dependsOn.length === 0 ? 'ready' : 'blocked',
    updatedMs: identity.createdMs,
    attempt: identity.attempt,
    failures: 0,
    startedMs: 0,
    progress: normalized.type === 'mcp' ? [{ atMs: identity.createdMs, message: 'task accepted' }] : [],
    envelope: null,
    error: '',
    slot: -1,
    waitingFor: submitted.dependsOn.length,
    dependents: null,
  }
}
