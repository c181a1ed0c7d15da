/** How much of everything. */
export interface Counts {
  /** Graphs of 100. */
  readonly graphs: number
  readonly requests: number
  readonly gets: number
  readonly commands: number
  readonly latencies: number
  readonly sleeps: number
  readonly sleepMs: number
  /** Finished tasks kept while memory, stalls and commands are measured. */
  readonly kept: number
  /** Finished tasks kept while it idles, and while it is asked for pages. */
  readonly keptIdle: number
  /** Tasks for each figure of cost, in as many graphs as that takes. */
  readonly costTasks: number
  readonly largestGraph: number
  readonly idleMs: number
  /** Longest wait for the next state.json, which is due every 30 s. 0: none. */
  readonly saveWithinMs: number
}

export const COUNTS: Counts = {
  graphs: 4000,
  requests: 100_000,
  gets: 100_000,
  commands: 20_000,
  latencies: 3000,
  sleeps: 1000,
  sleepMs: 1000,
  kept: 500_000,
  keptIdle: 1_000_000,
  costTasks: 100_000,
  largestGraph: 1_000_000,
  idleMs: 10_000,
  saveWithinMs: 40_000,
}

export const QUICK_COUNTS: Counts = {
  graphs: 5,
  requests: 50,
  gets: 50,
  commands: 20,
  latencies: 10,
  sleeps: 20,
  sleepMs: 50,
  kept: 1000,
  keptIdle: 2000,
  costTasks: 1000,
  largestGraph: 1000,
  idleMs: 200,
  saveWithinMs: 0,
}
