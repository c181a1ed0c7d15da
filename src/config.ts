/**
 * The only reader of the command line and the environment: both become one frozen Config, or one line that names
 * the setting that is wrong.
 * @see contract A1
 */
import * as v from 'valibot'
import type { Address } from './address.ts'
import { address, duration, patience, wholeNumber } from './config-values.ts'
import { DEFAULT_LIMITS, type Limits } from './domain/limits.ts'
import { ConfigError, readFlags } from './flags.ts'
import { GUARD_SETTINGS, type GuardConfig } from './guard-settings.ts'

export interface Config {
  readonly addr: Address
  readonly grpcAddr: Address
  readonly dataDir: string
  readonly maxConcurrency: number
  readonly shutdownTimeoutMs: number
  readonly shellPolicy: 'allow-list' | 'open' | 'strict'
  /** How commands are started; `auto` is posix_spawn where that works. */
  readonly spawn: 'auto' | 'posix' | 'node'
  readonly logLevel: string
  /** Modules that bring further tools, as given. */
  readonly toolModules: readonly string[]
  /** MiB of JavaScript heap of one worker thread. */
  readonly threadMemoryMb: number
  /** Between SIGTERM and SIGKILL of a command that is stopped. */
  readonly graceMs: number
  readonly limits: Limits
  /** Of submissions that name none. */
  readonly durability: 'sync' | 'relaxed'
  /** Milliseconds between two writings of state.json; 0 = never. */
  readonly stateJsonEveryMs: number
  /** Whether what is over tells how long each part of it took. */
  readonly hasTimings: boolean
  readonly retention: {
    /** Finished tasks older than this go; 0 = never. */
    readonly maxAgeMs: number
    /** The oldest finished tasks beyond so many go; 0 = never. */
    readonly maxTasks: number
  }
  /** What of the events stays. */
  readonly events: {
    /** 0 = none are kept, or told. */
    readonly maxEvents: number
    readonly maxAgeMs: number
  }
  readonly mcp: {
    /** JSON file of MCP servers, `''` for none. */
    readonly configFile: string
    /** What the variables in it stand for. */
    readonly environment: Readonly<Record<string, string | undefined>>
  }
  readonly guards: GuardConfig
}

/** One setting: where it comes from, what it is without either, and what it must be. */
interface Setting<S extends v.GenericSchema<string, unknown>> {
  readonly flag?: string
  readonly env: string
  readonly fallback: string
  readonly schema: S
}

const setting = <S extends v.GenericSchema<string, unknown>>(setting: Setting<S>): Setting<S> => setting

/** A bound of {@link Limits}. */
const limit = (env: string, fallback: number, most: number) =>
  setting({ env, fallback: String(fallback), schema: wholeNumber(1, most) })

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

const SETTINGS = {
  addr: setting({ flag: 'addr', env: 'EXECGO_ADDR', fallback: ':8080', schema: address }),
  grpcAddr: setting({ flag: 'grpc-addr', env: 'EXECGO_GRPC_ADDR', fallback: ':50051', schema: address }),
  dataDir: setting({
    flag: 'data-dir',
    env: 'EXECGO_DATA_DIR',
    fallback: './data',
    schema: v.pipe(v.string(), v.nonEmpty('a directory')),
  }),
  maxConcurrency: setting({
    flag: 'max-concurrency',
    env: 'EXECGO_MAX_CONCURRENCY',
    fallback: '10',
    schema: wholeNumber(1, 100_000),
  }),
  shutdownTimeoutS: setting({
    flag: 'shutdown-timeout',
    env: 'EXECGO_SHUTDOWN_TIMEOUT',
    fallback: '15',
    schema: wholeNumber(0, 86_400),
  }),
  shellPolicy: setting({
    env: 'EXECGO_SHELL_POLICY',
    fallback: 'allow-list',
    schema: v.pipe(
      v.string(),
      v.transform((text) => text.trim().toLowerCase()),
      v.picklist(['allow-list', 'open', 'strict'], 'allow-list, open or strict'),
    ),
  }),
  spawn: setting({
    env: 'EXECGO_SPAWN',
    fallback: 'auto',
    schema: v.picklist(['auto', 'posix', 'node'], 'auto, posix or node'),
  }),
  logLevel: setting({
    env: 'EXECGO_LOG_LEVEL',
    fallback: 'info',
    schema: v.picklist(LOG_LEVELS, `one of ${LOG_LEVELS.join(', ')}`),
  }),
  toolModules: setting({
    env: 'EXECGO_TOOLS',
    fallback: '',
    schema: v.pipe(
      v.string(),
      v.transform((text) => text.split(',').flatMap((path) => (path.trim() === '' ? [] : [path.trim()]))),
    ),
  }),
  mcpConfig: setting({ env: 'EXECGO_MCP_CONFIG', fallback: '', schema: v.string() }),
  threadMemoryMb: setting({
    env: 'EXECGO_THREAD_MEMORY_MB',
    fallback: '512',
    schema: wholeNumber(32, 65_536),
  }),
  graceMs: setting({ env: 'EXECGO_GRACE_MS', fallback: '5000', schema: wholeNumber(0, 600_000) }),
  durability: setting({
    env: 'EXECGO_DURABILITY',
    fallback: 'sync',
    schema: v.picklist(['sync', 'relaxed'], 'sync or relaxed'),
  }),
  stateJsonEveryMs: setting({
    env: 'EXECGO_STATE_JSON',
    fallback: '30',
    schema: v.pipe(
      v.string(),
      v.check((text) => text === 'off' || /^[1-9]\d{0,5}$/.test(text), 'off, or a period in seconds'),
      v.transform((text) => (text === 'off' ? 0 : Number(text) * 1000)),
    ),
  }),
  timings: setting({
    env: 'EXECGO_TIMINGS',
    fallback: 'off',
    schema: v.picklist(['on', 'off'], 'on or off'),
  }),
  retainMs: setting({ env: 'EXECGO_RETAIN', fallback: '', schema: duration }),
  retainTasks: setting({ env: 'EXECGO_RETAIN_TASKS', fallback: '0', schema: wholeNumber(0, 1e12) }),
  eventsKeep: setting({ env: 'EXECGO_EVENTS_KEEP', fallback: '100000', schema: wholeNumber(0, 1e7) }),
  eventsKeepFor: setting({ env: 'EXECGO_EVENTS_KEEP_FOR', fallback: '1h', schema: duration }),
  maxBodyBytes: setting({
    env: 'EXECGO_MAX_BODY_BYTES',
    fallback: String(DEFAULT_LIMITS.bodyBytes),
    schema: wholeNumber(1, 2 ** 29 - 32),
  }),
  maxTasksPerGraph: limit('EXECGO_MAX_TASKS_PER_GRAPH', DEFAULT_LIMITS.tasksPerGraph, 1e7),
  maxDependencies: limit('EXECGO_MAX_DEPENDENCIES', DEFAULT_LIMITS.dependenciesPerTask, 1e7),
  maxIdBytes: limit('EXECGO_MAX_ID_BYTES', DEFAULT_LIMITS.idBytes, 65_536),
  maxUnfinishedTasks: limit('EXECGO_MAX_UNFINISHED_TASKS', DEFAULT_LIMITS.unfinishedTasks, 1e9),
  // params lie four levels deep.
  maxJsonDepth: setting({
    env: 'EXECGO_MAX_JSON_DEPTH',
    fallback: String(DEFAULT_LIMITS.jsonDepth),
    schema: wholeNumber(4, 1000),
  }),
  // A result is in a task's text twice, and each byte of it may take six there: no text has more than 2^29.
  maxOutputBytes: limit('EXECGO_MAX_OUTPUT_BYTES', DEFAULT_LIMITS.outputBytes, 2 ** 24),
  maxHttpBodyBytes: limit('EXECGO_MAX_HTTP_BODY_BYTES', DEFAULT_LIMITS.httpBodyBytes, 2 ** 25),
  maxFileBytes: limit('EXECGO_MAX_FILE_BYTES', DEFAULT_LIMITS.fileBytes, 2 ** 25),
  headerTimeoutMs: setting({ env: 'EXECGO_HEADER_TIMEOUT', fallback: '15s', schema: patience }),
  bodyTimeoutMs: setting({ env: 'EXECGO_BODY_TIMEOUT', fallback: '5m', schema: patience }),
  ...GUARD_SETTINGS,
} as const

const FLAG_NAMES: ReadonlySet<string> = new Set(
  Object.values<{ flag?: string; env: string }>(SETTINGS).flatMap((each) => each.flag ?? []),
)

/** The flags, for `--help`. */
export const USAGE = `execgo: runs graphs of tasks

Usage: execgo [flags]    the daemon (one dash or two, "=" or a space)
       execgo help       the commands: submit graphs to it, watch them …

${Object.values<Setting<v.GenericSchema<string, unknown>>>(SETTINGS)
  .filter((each) => each.flag !== undefined)
  .map((each) => `  -${(each.flag ?? '').padEnd(18)} ${each.env.padEnd(25)} default ${each.fallback}`)
  .join('\n')}

A flag wins over the environment. -shutdown-timeout is in seconds.
Port 0 picks a free one; the log says which. Further settings by environment:

${Object.values<Setting<v.GenericSchema<string, unknown>>>(SETTINGS)
  .filter((each) => each.flag === undefined)
  .map((each) => each.env)
  .join(', ')
  // For terminals of 80 columns.
  .replace(/(.{1,76})(?:, |$)/g, '  $1\n')}`

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'daemon'; readonly config: Config }

/** @throws {ConfigError} for an unknown flag, an argument that is none, or a value that cannot be used */
export const readConfig = (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Invocation => {
  const flags = readFlags(argv, FLAG_NAMES)
  if (flags.has('help') || flags.has('h')) return { kind: 'help' }
  if (flags.has('version')) return { kind: 'version' }
  const value = <S extends v.GenericSchema<string, unknown>>(from: Setting<S>): v.InferOutput<S> => {
    const flag = from.flag === undefined ? undefined : flags.get(from.flag)
    // An empty environment variable is one that is not set.
    const given = flag ?? (env[from.env] || from.fallback)
    const parsed = v.safeParse(from.schema, given)
    if (parsed.success) return parsed.output
    const name = flag === undefined ? from.env : `-${from.flag}`
    throw new ConfigError(`${name}: expected ${parsed.issues[0].message}, got ${JSON.stringify(given)}`)
  }
  const guards: GuardConfig = {
    authFile: value(SETTINGS.authFile),
    tlsCert: value(SETTINGS.tlsCert),
    tlsKey: value(SETTINGS.tlsKey),
    auditLog: value(SETTINGS.auditLog),
    allowedOrigins: value(SETTINGS.allowedOrigins),
    requestsPerSecond: value(SETTINGS.requestsPerSecond),
    fileRoot: value(SETTINGS.fileRoot),
    netPolicy: value(SETTINGS.netPolicy),
  }
  /** Without tokens, where nobody says who may come from elsewhere, nobody does. */
  const listenOn = (from: Setting<typeof address>): Address =>
    guards.authFile !== '' || flags.has(from.flag ?? '') || env[from.env]
      ? value(from)
      : { ...value(from), host: '127.0.0.1' }
  return {
    kind: 'daemon',
    config: Object.freeze({
      addr: listenOn(SETTINGS.addr),
      grpcAddr: listenOn(SETTINGS.grpcAddr),
      dataDir: value(SETTINGS.dataDir),
      maxConcurrency: value(SETTINGS.maxConcurrency),
      shutdownTimeoutMs: value(SETTINGS.shutdownTimeoutS) * 1000,
      shellPolicy: value(SETTINGS.shellPolicy),
      spawn: value(SETTINGS.spawn),
      logLevel: value(SETTINGS.logLevel),
      toolModules: value(SETTINGS.toolModules),
      threadMemoryMb: value(SETTINGS.threadMemoryMb),
      graceMs: value(SETTINGS.graceMs),
      limits: {
        bodyBytes: value(SETTINGS.maxBodyBytes),
        tasksPerGraph: value(SETTINGS.maxTasksPerGraph),
        dependenciesPerTask: value(SETTINGS.maxDependencies),
        idBytes: value(SETTINGS.maxIdBytes),
        unfinishedTasks: value(SETTINGS.maxUnfinishedTasks),
        jsonDepth: value(SETTINGS.maxJsonDepth),
        outputBytes: value(SETTINGS.maxOutputBytes),
        httpBodyBytes: value(SETTINGS.maxHttpBodyBytes),
        fileBytes: value(SETTINGS.maxFileBytes),
        headerMs: value(SETTINGS.headerTimeoutMs),
        bodyMs: value(SETTINGS.bodyTimeoutMs),
      },
      durability: value(SETTINGS.durability),
      stateJsonEveryMs: value(SETTINGS.stateJsonEveryMs),
      hasTimings: value(SETTINGS.timings) === 'on',
      retention: { maxAgeMs: value(SETTINGS.retainMs), maxTasks: value(SETTINGS.retainTasks) },
      events: { maxEvents: value(SETTINGS.eventsKeep), maxAgeMs: value(SETTINGS.eventsKeepFor) },
      mcp: { configFile: value(SETTINGS.mcpConfig), environment: env },
      guards,
    }),
  }
}
