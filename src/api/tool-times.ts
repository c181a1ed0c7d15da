/** How long each tool usually takes, learnt from the tasks that end: when to ask again for one that is not over. */
import type { Task } from '../domain/task.ts'

/** How much the last run counts. */
const WEIGHT = 0.1
/** Names of tools are the clients' own: beyond so many, others are not learnt. */
const MOST_TOOLS = 1000
const MAX_SECONDS = 3600

export class ToolTimes {
  /** Milliseconds. */
  readonly #averages = new Map<string, number>()

  onOver(tasks: readonly Task[]): void {
    for (const task of tasks) {
      // What was refused or skipped says nothing of how long the tool takes.
      if (task.phase !== 'success' || task.envelope === null) continue
      const name = toolOf(task)
      const tookMs = task.envelope.finishedMs - task.envelope.startedMs
      const average = this.#averages.get(name)
      if (average !== undefined) this.#averages.set(name, average + (tookMs - average) * WEIGHT)
      else if (this.#averages.size < MOST_TOOLS) this.#averages.set(name, tookMs)
    }
  }

  /** Whole seconds after which it is worth asking again. */
  retryAfterS(task: Task): number {
    const seconds = Math.ceil((this.#averages.get(toolOf(task)) ?? 0) / 1000)
    return Math.min(MAX_SECONDS, Math.max(1, seconds))
  }
}

const toolOf = (task: Task): string => (task.type === 'os' ? task.toolName : task.type)
