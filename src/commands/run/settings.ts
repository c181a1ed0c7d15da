/** The daemon's own settings, for a kernel in this process: who runs a graph here decides as who starts a daemon does. */
import { type Config, readConfig } from '../../config.ts'
import { ConfigError } from '../../flags.ts'
import type { KernelLog, KernelOptions } from '../../index.ts'
import { CommandError, type Terminal } from '../terminal.ts'

export interface RunSettings {
  readonly dataDir: string
  /** It is gone with the process. */
  readonly isTemporary: boolean
  readonly maxConcurrency: number | undefined
  readonly log: KernelLog
}

/** So many that a terminal which is slow for a while misses none. */
const EVENTS = { maxEvents: 1_000_000, maxAgeMs: 24 * 60 * 60 * 1000 }

/** `EXECGO_DATA_DIR` is a daemon's alone. @throws CommandError 2 that names the setting */
export const kernelOptionsOf = (
  env: Terminal['env'],
  { dataDir, isTemporary, maxConcurrency, log }: RunSettings,
): KernelOptions => {
  const config = configOf(env, maxConcurrency)
  const { headerMs: _, bodyMs: __, ...limits } = config.limits
  const { fileRoot, netPolicy } = config.guards
  return {
    dataDir,
    durability: isTemporary ? 'relaxed' : config.durability,
    maxConcurrency: config.maxConcurrency,
    tools: config.toolModules,
    ...(config.mcp.configFile === '' ? {} : { mcpConfig: config.mcp.configFile }),
    shellPolicy: config.shellPolicy,
    ...(fileRoot === '' ? {} : { fileRoot }),
    netPolicy,
    limits,
    graceMs: config.graceMs,
    events: EVENTS,
    threadMemoryMb: config.threadMemoryMb,
    spawn: config.spawn,
    timings: config.hasTimings,
    log,
  }
}

const configOf = (env: Terminal['env'], maxConcurrency: number | undefined): Config => {
  const flags = maxConcurrency === undefined ? [] : [`--max-concurrency=${maxConcurrency}`]
  try {
    const asked = readConfig(flags, env)
    if (asked.kind === 'daemon') return asked.config
  } catch (error) {
    throw error instanceof ConfigError ? new CommandError(2, error.message) : error
  }
  throw new Error('the settings are none of a daemon')
}
