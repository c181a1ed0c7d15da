/** A kernel's options as the engine's settings. */
import { realpathSync, statSync } from 'node:fs'
import * as v from 'valibot'
import { DEFAULT_LIMITS, type Limits } from '../domain/limits.ts'
import type { EngineSettings } from './engine.ts'
import type { KernelLog, KernelOptions } from './options.ts'

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
const text = v.pipe(
  v.string('a text'),
  v.check((given) => given !== '', 'a text that is not empty'),
)
const oneOf = <const T extends readonly string[]>(...options: T) =>
  v.picklist(options, `one of ${options.join(', ')}`)

const OptionsSchema = v.strictObject({
  dataDir: v.optional(text),
  maxConcurrency: v.optional(number(1, 100_000), 10),
  tools: v.optional(v.array(v.union([text, v.instance(URL)], 'a path or a URL'), 'an array of modules'), []),
  mcpConfig: v.optional(text),
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
  log: v.optional(v.custom<KernelLog>((value) => typeof value === 'object' && value !== null, 'a logger')),
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
  const {
    dataDir = '',
    tools,
    timings,
    limits,
    durability,
    fileRoot,
    mcpConfig: _,
    log: __,
    ...rest
  } = parsed.output
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
