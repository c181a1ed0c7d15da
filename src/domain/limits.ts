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
  /** Bytes of stdout and of stderr that a command's result keeps: the first and the last half. */
  readonly outputBytes: number
  /** Bytes of the body that an HTTP answer's result keeps. */
  readonly httpBodyBytes: number
  /** Bytes of a file that is read. */
  readonly fileBytes: number
  /** Milliseconds in which the headers of a request have to come. */
  readonly headerMs: number
  /** Milliseconds more for its body. */
  readonly bodyMs: number
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  bodyBytes: 32 * 1024 * 1024,
  tasksPerGraph: 100_000,
  dependenciesPerTask: 10_000,
  idBytes: 512,
  jsonDepth: 64,
  unfinishedTasks: 1_000_000,
  outputBytes: 1024 * 1024,
  httpBodyBytes: 1024 * 1024,
  fileBytes: 16 * 1024 * 1024,
  headerMs: 15_000,
  bodyMs: 300_000,
})
