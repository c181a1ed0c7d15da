/**
 * One attempt while it runs: what its tool knows of it, and what the session needs to end it.
 */
import { graphIdOf } from '../src/domain/graph-record.ts'
import type { Assignment, WorkerSettings } from '../src/pool/messages.ts'
import type { McpCalls } from './mcp/calls.ts'
import type { ProcessStarter } from './process/starter.ts'
import type { ToolContext } from './tools/tool.ts'

/** What all attempts of a thread share. */
export interface Surroundings {
  readonly settings: WorkerSettings
  readonly starter: ProcessStarter
  readonly mcp: McpCalls | null
  postProgress(ref: number, message: string): void
}

const NOBODY: (() => void)[] = []

export class Attempt implements ToolContext {
  readonly assignment: Assignment
  readonly startedMs = Date.now()
  readonly #startedAt = performance.now()
  /** Ends the wait for a tool that does not react to its abort. */
  patience: NodeJS.Timeout | null = null
  isOver = false
  graceMs = 0
  readonly #surroundings: Surroundings
  // Most attempts end without anybody asking for the signal, which costs more than they do.
  #controller: AbortController | null = null
  #abortListeners: (() => void)[] = NOBODY
  /** By the monotonic clock; NaN before. */
  #abortedMs = Number.NaN
  #reason = ''

  constructor(assignment: Assignment, surroundings: Surroundings) {
    this.assignment = assignment
    this.#surroundings = surroundings
  }

  /** Milliseconds since it began, by a clock that nobody sets. */
  get ranMs(): number {
    return performance.now() - this.#startedAt
  }

  get taskId(): string {
    return this.assignment.taskId
  }

  get graphId(): string {
    return graphIdOf(this.assignment.graphKey)
  }

  get toolName(): string {
    return this.assignment.toolName
  }

  get inputJson(): string {
    return this.assignment.inputJson
  }

  get attempt(): number {
    return this.assignment.attempt
  }

  get traceparent(): string {
    return this.assignment.traceparent
  }

  get settings(): WorkerSettings {
    return this.#surroundings.settings
  }

  get starter(): ProcessStarter {
    return this.#surroundings.starter
  }

  get mcp(): McpCalls | null {
    return this.#surroundings.mcp
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.isAborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  get isAborted(): boolean {
    return !Number.isNaN(this.#abortedMs)
  }

  onAbort(listener: () => void): void {
    if (this.isAborted) listener()
    else this.#abortListeners = [...this.#abortListeners, listener]
  }

  progress(message: string): void {
    if (!this.isOver) this.#surroundings.postProgress(this.assignment.ref, message)
  }

  /** Aborts the attempt. Doing so again can only shorten the grace, which counts from the first time. */
  abort(graceMs: number, reason: string): void {
    const nowMs = performance.now()
    if (this.isAborted) {
      this.graceMs = Math.min(this.graceMs, nowMs - this.#abortedMs + graceMs)
      return
    }
    this.#abortedMs = nowMs
    this.graceMs = graceMs
    this.#reason = reason
    this.#controller?.abort(reason)
    for (const listener of this.#abortListeners) listener()
  }
}
