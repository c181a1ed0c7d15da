/** What the daemon did since its start. @see contract A2, `GET /metrics` */
export interface Metrics {
  readonly tasks_total: number
  readonly tasks_running: number
  readonly tasks_succeeded: number
  /** Failed and skipped. */
  readonly tasks_failed: number
  readonly by_type: Readonly<Record<string, number>>
}

export class Counters {
  total = 0
  running = 0
  succeeded = 0
  failed = 0
  readonly #byType = new Map<string, number>()

  /** Counts tasks of one canonical type as taken on. */
  accepted(type: string): void {
    this.total++
    this.#byType.set(type, (this.#byType.get(type) ?? 0) + 1)
  }

  snapshot(): Metrics {
    return {
      tasks_total: this.total,
      tasks_running: this.running,
      tasks_succeeded: this.succeeded,
      tasks_failed: this.failed,
      by_type: Object.fromEntries([...this.#byType].sort(([a], [b]) => (a < b ? -1 : 1))),
    }
  }
}
