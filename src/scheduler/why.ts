/**
 * Why a task that is not over is not over: what it waits for, as far as the scheduler knows.
 * @see contract B6
 */
import { isOver } from '../domain/lifecycle.ts'
import type { Task } from '../domain/task.ts'
import { publishedStatus } from '../domain/task-json.ts'
import { rfc3339 } from '../domain/time.ts'
import type { Lives } from './lives.ts'

/** For programs; `message` says the same to people. The other fields depend on it. */
export interface Why {
  readonly reason:
    | 'dependencies'
    | 'predecessor'
    | 'start_time'
    | 'retry_time'
    | 'slot'
    | 'running'
    | 'stopping'
    | 'shutdown'
    | 'saving'
  readonly message: string
  readonly [more: string]: unknown
}

/** Of what a task depends on, so many are named. */
const MOST_NAMED = 100

/** @param unfinished the task of an id while it is not over */
export const whyUnfinished = (
  task: Task,
  lives: Lives,
  nowMs: number,
  unfinished: (id: string) => Task | null,
): Why => {
  switch (task.phase) {
    case 'blocked':
      return whyBlocked(task, unfinished)
    case 'delayed':
      return {
        reason: 'start_time',
        message: `it must not run before ${rfc3339(task.runAtMs)}`,
        run_at: rfc3339(task.runAtMs),
        in_ms: Math.max(0, task.runAtMs - nowMs),
      }
    case 'backoff':
      return whyBackoff(task, lives.waitLeftMs(task), nowMs)
    case 'ready':
      return whyReady(task, lives)
    case 'running':
      return whyRunning(task, lives)
    case 'success':
    case 'failed':
    case 'skipped':
      return { reason: 'saving', message: 'it is over, and its outcome is being saved' }
  }
}

const whyBlocked = (task: Task, unfinished: (id: string) => Task | null): Why => {
  const waitsFor: { id: string; status: string }[] = []
  for (const id of new Set(task.dependsOn)) {
    if (waitsFor.length === MOST_NAMED) break
    const dependency = unfinished(id)
    if (dependency !== null && !isOver(dependency.phase))
      waitsFor.push({ id, status: publishedStatus(dependency) })
  }
  if (waitsFor.length === 0)
    return {
      reason: 'predecessor',
      message: 'it waits until an earlier task, whose record was replaced or removed, has stopped',
    }
  const count = task.waitingFor
  return {
    reason: 'dependencies',
    message: `it waits for ${count} of its dependencies, ${waitsFor[0]!.id} among them`,
    run_if: task.runIf,
    waiting_for: count,
    dependencies: waitsFor,
  }
}

const whyBackoff = (task: Task, leftMs: number, nowMs: number): Why => {
  const inMs = Math.max(0, Math.ceil(leftMs))
  return {
    reason: 'retry_time',
    message: `attempt ${task.attempt} failed, and the next one begins in ${inMs} ms`,
    retry_at: rfc3339(nowMs + inMs),
    in_ms: inMs,
    failures: task.failures,
    retries_left: Math.max(0, task.retry + 1 - task.failures),
  }
}

const whyReady = (task: Task, { dispatcher }: Lives): Why => {
  if (dispatcher.isStopping)
    return { reason: 'shutdown', message: 'the daemon is stopping: it runs after the next start' }
  const place = dispatcher.placeOf(task)
  const { slots, running } = dispatcher.attempts
  return {
    reason: 'slot',
    message: `it waits for one of ${slots} slots, at place ${place} in line`,
    place,
    priority: task.priority,
    ready: dispatcher.ready,
    slots,
    slots_in_use: running,
  }
}

const whyRunning = (task: Task, { dispatcher }: Lives): Why => {
  const attempt = dispatcher.attempts.get(task.ref)
  const about = {
    attempt: task.attempt,
    // One that shares its slot has begun when it is over.
    ...(task.startedMs > 0 ? { started_at: rfc3339(task.startedMs) } : {}),
    ...(task.timeoutMs > 0 ? { timeout_ms: task.timeoutMs } : {}),
  }
  const cause = attempt?.stopCause ?? null
  return cause === null
    ? { reason: 'running', message: `attempt ${task.attempt} of it runs`, ...about }
    : {
        reason: 'stopping',
        message: `attempt ${task.attempt} of it is being stopped (${cause})`,
        cause,
        ...about,
      }
}
