/** What a program that embeds execgo may set, and what stands where it does not. */
import type { Limits } from '../domain/limits.ts'

/** What a kernel needs of a logger. pino's is one. */
export interface KernelLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** With it, and where it says so of `debug`, there is a line for each task that is over. */
  isLevelEnabled?(level: string): boolean
}

/** Each as the daemon's setting of the same name. @see docs/en/configuration.md */
export interface KernelOptions {
  /** Where tasks are kept. Without one, in a temporary folder that is removed at the stop. */
  dataDir?: string
  /** Attempts that may run at once; 10 by default. */
  maxConcurrency?: number
  /** Modules with tools of your own: paths, or URLs as from `new URL('./tools.js', import.meta.url)`. */
  tools?: readonly (string | URL)[]
  /** A file of MCP servers, as EXECGO_MCP_CONFIG names one; its `${NAME}`s are of the environment. */
  mcpConfig?: string
  /** Which commands may run; `allow-list` by default. */
  shellPolicy?: 'allow-list' | 'open' | 'strict'
  /** The folder that `file` stays in. */
  fileRoot?: string
  /** `public` keeps `http` and `tcp` off private addresses; `any` by default. */
  netPolicy?: 'any' | 'public'
  /** Those that are not named are the daemon's own. */
  limits?: Partial<Omit<Limits, 'headerMs' | 'bodyMs'>>
  /** Whether an answer waits for the disk: `sync` by default, `relaxed` where the folder is a temporary one. */
  durability?: 'sync' | 'relaxed'
  /** Between SIGTERM and SIGKILL of a command that is stopped; 5000 by default. */
  graceMs?: number
  /** Which finished tasks are removed by themselves: none by default. */
  retention?: { maxAgeMs?: number; maxTasks?: number }
  /** Which events stay: 100,000 of the last hour by default; `maxEvents: 0` for none. */
  events?: { maxEvents?: number; maxAgeMs?: number }
  /** MiB of JavaScript heap of one worker thread; 512 by default. */
  threadMemoryMb?: number
  /** How commands are started; `auto` is posix_spawn where that works. */
  spawn?: 'auto' | 'posix' | 'node'
  /** Whether what is over tells how long each part of it took. */
  timings?: boolean
  /** Milliseconds between two writings of state.json into the data directory; 0, the default, for none. */
  stateJsonEveryMs?: number
  /** Told what goes on, as pino is; nobody is by default. */
  log?: KernelLog
}
