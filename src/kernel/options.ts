/** What a program that embeds execgo may set, and what stands where it does not. */
import { realpathSync, statSync } from 'node:fs'
import * as v from 'valibot'
import { DEFAULT_LIMITS, type Limits } from '../domain/limits.ts'
import type { EngineLog, EngineSettings } from './engine.ts'

/** Each as the daemon's setting of the same name. @see docs/en/configuration.md */
export interface KernelOptions {
  /** Where tasks are kept. Without one, in a temporary folder that is removed at the stop. */
  dataDir?: string
  /** Attempts that may run at once; 10 by default. */
  maxConcurrency?: number
  /** Modules with tools of your own: paths, or URLs as from `new URL('./tools.js', import.meta.url)`. */
  tools?: readonly (string | URL)[]
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
  log?: EngineLog
}

const number = (least: number, most: number) => {
  const expected = `a whole number from ${least} to ${most}`
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(least, expected),
    v.maxValue(most, expected),
  )
}
const HOUR_MS = 60 * 60 * 1000
const COUNT = number(0, Number.MAX_SAFE_INTEGER)
const LIMIT = v.optional(number(1, 1e9))
const text = v.pipe(v.string('a text'), v.nonEmpty('a text that is not empty'))
const oneOf = <const T extends readonly string[]>(...options: T) =>
  v.picklist(options, `one of ${options.join(', ')}`)

const OptionsSchema = v.strictObject({
  dataDir: v.optional(text),
  maxConcurrency: v.optional(number(1, 100_000), 10),
  tools: v.optional(v.array(v.union([text, v.instance(URL)], 'a path or a URL'), 'an array of modules'), []),
  shellPolicy: v.optional(oneOf('allow-list', 'open', 'strict'), 'allow-list'),
  fileRoot: v.optional(text),
  netPolicy: v.optional(oneOf('any', 'public'), 'any'),
  limits: v.optional(
    v.strictObject({
      bodyBytes: LIMIT,
      tasksPerGraph: LIMIT,
      dependenciesPerTask: LIMIT,
      idBytes: LIMIT,
      jsonDepth: LIMIT,
      unfinishedTasks: LIMIT,
      outputBytes: LIMIT,
      httpBodyBytes: LIMIT,
      fileBytes: LIMIT,
    }),
    {},
  ),
  durability: v.optional(oneOf('sync', 'relaxed')),
  graceMs: v.optional(number(0, 600_000), 5000),
  retention: v.optional(
    v.strictObject({ maxAgeMs: v.optional(COUNT, 0), maxTasks: v.optional(COUNT, 0) }),
    {},
  ),
  events: v.optional(
    v.strictObject({ maxEvents: v.optional(number(0, 1e7), 100_000), maxAgeMs: v.optional(COUNT, HOUR_MS) }),
    {},
  ),
  threadMemoryMb: v.optional(number(32, 65_536), 512),
  spawn: v.optional(oneOf('auto', 'posix', 'node'), 'auto'),
  timings: v.optional(v.boolean('true or false'), false),
  stateJsonEveryMs: v.optional(COUNT, 0),
  log: v.optional(v.custom<EngineLog>((value) => typeof value === 'object' && value !== null, 'a logger')),
})

/**
 * The settings, `dataDir` being `''` where a temporary folder is to be made.
 * @throws {TypeError} that names the option
 */
export const settingsOf = (options: KernelOptions): EngineSettings => {
  const parsed = v.safeParse(OptionsSchema, options, { abortEarly: true, abortPipeEarly: true })
  if (!parsed.success) {
    const [issue] = parsed.issues
    const where = v.getDotPath(issue)
    throw new TypeError(
      issue.type === 'strict_object' && issue.expected === 'never'
        ? `createKernel: there is no option ${where}`
        : `createKernel: ${where ?? 'options'}: expected ${issue.message}, got ${issue.received}`,
    )
  }
  const { dataDir = '', tools, timings, limits, durability, fileRoot, ...rest } = parsed.output
  return {
    ...rest,
    dataDir,
    toolModules: tools.map(String),
    hasTimings: timings,
    limits: { ...DEFAULT_LIMITS, ...limits } as Limits,
    durability: durability ?? (dataDir === '' ? 'relaxed' : 'sync'),
    fileRoot: fileRoot === undefined ? '' : folder(fileRoot),
  }
}

const folder = (path: string): string => {
  if (!statSync(path).isDirectory()) throw new TypeError(`createKernel: fileRoot: ${path} is no folder`)
  return realpathSync(path)
}
