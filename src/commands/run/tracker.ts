/** How far a graph is, by its events. */
import type { TaskEvent } from '../../client/index.ts'

/** An attempt under way. */
export interface Attempt {
  readonly id: string
  /** From 1. */
  readonly attempt: number
  readonly startedMs: number
  /** The last line of its progress, `''` for none. */
  message: string
}

export interface Ends {
  success: number
  failed: number
  cancelled: number
  skipped: number
}

const END_OF = {
  task_succeeded: 'success',
  task_failed: 'failed',
  task_cancelled: 'cancelled',
  task_skipped: 'skipped',
} as const satisfies Partial<Record<TaskEvent['type'], keyof Ends>>

/** The end of a task. */
export interface Ended {
  readonly how: keyof Ends
  /** Milliseconds since its last attempt began. */
  readonly ranMs: number
}

export class Tracker {
  readonly total: number
  /** In the order in which they began. */
  readonly running = new Map<string, Attempt>()
  readonly ends: Ends = { success: 0, failed: 0, cancelled: 0, skipped: 0 }

  constructor(total: number) {
    this.total = total
  }

  get over(): number {
    const { success, failed, cancelled, skipped } = this.ends
    return success + failed + cancelled + skipped
  }

  /** Neither over nor under way. */
  get waiting(): number {
    return Math.max(0, this.total - this.over - this.running.size)
  }

  get isOver(): boolean {
    return this.over >= this.total
  }

  /** @returns the end of a task, where this is one */
  note({ type, task_id: id, attempt = 1, message = '' }: TaskEvent, nowMs: number): Ended | null {
    switch (type) {
      case 'task_submitted':
        return null
      case 'task_started':
        this.running.set(id, { id, attempt, startedMs: nowMs, message: '' })
        return null
      case 'task_progressed': {
        const attempt = this.running.get(id)
        if (attempt !== undefined) attempt.message = message
        return null
      }
      case 'task_retried':
        this.running.delete(id)
        return null
      case 'task_succeeded':
      case 'task_failed':
      case 'task_cancelled':
      case 'task_skipped': {
        const how = END_OF[type]
        const ranMs = nowMs - (this.running.get(id)?.startedMs ?? nowMs)
        this.running.delete(id)
        this.ends[how]++
        return { how, ranMs }
      }
    }
  }
}
