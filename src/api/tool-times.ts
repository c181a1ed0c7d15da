/** How long each tool usually takes, learnt from the tasks that end: when to ask again for one that is not over. */
import { type Task, runnerOf } from '../domain/task.ts'

/** How much the last run counts. */
const WEIGHT = 0.1
/** Names of tools are the clients' own: beyond so many, others are not learnt. */
const MOST_TOOLS = 1000
const MAX_SECONDS = 3600

export class ToolTimes {
  readonly #averages = new Map<string, { ms: number }>()

  onOver(tasks: readonly Task[]): void {
    for (const task of tasks) {
      // What was refused or skipped says nothing of how long the tool takes.
      if (task.phase !== 'success' || task.envelope === null) continue
      const tookMs = task.envelope.finishedMs - task.envelope.startedMs
      const average = this.#averageOf(runnerOf(task), tookMs)
      if (average !== null) average.ms += (tookMs - average.ms) * WEIGHT
    }
  }

  /** Whole seconds after which it is worth asking again. */
  retryAfterS(task: Task): number {
    const seconds = Math.ceil((this.#averages.get(runnerOf(task))?.ms ?? 0) / 1000)
    return Math.min(MAX_SECONDS, Math.max(1, seconds))
  }

  /** `null` where there are too many already. */
  #averageOf(name: string, firstMs: number): { ms: number } | null {
    const known = this.#averages.get(name)
    if (known !== undefined || this.#averages.size >= MOST_TOOLS) return known ?? null
    const average = { ms: firstMs }
    this.#averages.set(name, average)
    return average
  }
}
