/** Counts and times tasks as they go by, by the tool that runs them. */
import { type Task, runnerOf } from '../domain/task.ts'
import type { Outcome } from '../pool/messages.ts'
import type { Observer } from '../scheduler/observer.ts'
import { Histogram } from './histogram.ts'

/** What is known of one tool. */
export class ToolMetrics {
  readonly queueWait = new Histogram()
  readonly run = new Histogram()
  readonly commit = new Histogram()
  succeeded = 0
  failed = 0
  aborted = 0
}

/** A tool's name is what a client makes up, until a task of it succeeded: so many others get a label of their own. */
const MOST_TOOLS = 64

/** What has no label of its own. */
const OTHER = 'other'

const BUILT_IN = ['noop', 'sleep', 'shell', 'file', 'http', 'dns', 'tcp', 'mcp', 'cli-skills', OTHER]

export class TaskMetrics implements Observer {
  readonly #nowMs: () => number
  readonly #startedMs: number
  /** By the label. */
  readonly tools = new Map(BUILT_IN.map((tool) => [tool, new ToolMetrics()]))
  readonly #other = this.tools.get(OTHER)!
  /** The one that was asked for last: tasks of a tool come together. */
  #lastName = OTHER
  #last = this.#other

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#startedMs = nowMs()
  }

  ready(): void {}

  started(task: Task, readyMs: number): void {
    // One that an earlier run of the daemon left was not in line all the time since.
    this.#of(task).queueWait.add(task.updatedMs - Math.max(readyMs, this.#startedMs))
  }

  ended(task: Task, outcome: Outcome): void {
    let tool = this.#of(task)
    if (tool === this.#other && outcome.status === 'success' && this.tools.size < MOST_TOOLS) {
      tool = new ToolMetrics()
      this.tools.set(task.toolName, tool)
    }
    tool.run.add(outcome.ranMs)
    if (outcome.status === 'success') tool.succeeded++
    else if (outcome.status === 'failed') tool.failed++
    else tool.aborted++
  }

  saving(): void {}

  saved(tasks: readonly Task[]): void {
    const nowMs = this.#nowMs()
    for (const task of tasks) this.#of(task).commit.add(nowMs - task.updatedMs)
  }

  #of(task: Task): ToolMetrics {
    const name = runnerOf(task)
    if (name === this.#lastName) return this.#last
    const tool = this.tools.get(name) ?? this.#other
    if (tool !== this.#other) {
      this.#lastName = name
      this.#last = tool
    }
    return tool
  }
}
