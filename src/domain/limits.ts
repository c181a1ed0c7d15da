/**
 * Bounds on what is accepted and kept.
 * @see contract B4
 */
export interface Limits {
  /** Bytes of a request's body. */
  readonly bodyBytes: number
  readonly tasksPerGraph: number
  readonly dependenciesPerTask: number
  /** Bytes of a task's id in UTF-8. */
  readonly idBytes: number
  /** Levels of arrays and objects in a body. */
  readonly jsonDepth: number
  /** Tasks accepted and not over. */
  readonly unfinishedTasks: number
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  bodyBytes: 32 * 1024 * 1024,
  tasksPerGraph: 100_000,
  dependenciesPerTask: 10_000,
  idBytes: 512,
  jsonDepth: 64,
  unfinishedTasks: 1_000_000,
})
