/**
 * What is below the servers, put together: store, pool, scheduler and service. The daemon puts its edges on it, and a
 * program that embeds execgo talks to it by ./calls.ts. Nothing here touches the process: no signals, no exit, no stdout.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Service } from '../api/service.ts'
import type { Config } from '../config.ts'
import type { McpHost } from '../mcp/host.ts'
import { StartTimes } from '../metrics/start-times.ts'
import { TaskLog } from '../metrics/task-log.ts'
import { TaskMetrics } from '../metrics/task-metrics.ts'
import { Timings } from '../metrics/timings.ts'
import { Pool } from '../pool/pool.ts'
import { bothOf, type Observer } from '../scheduler/observer.ts'
import { Scheduler } from '../scheduler/scheduler.ts'
import { LmdbStore } from '../store/lmdb/lmdb-store.ts'
import { VERSION } from '../version.ts'
import type { KernelLog } from './options.ts'

/** As the daemon's settings say it. @see ../config.ts */
export interface EngineSettings
  extends Pick<
    Config,
    | 'dataDir'
    | 'maxConcurrency'
    | 'shellPolicy'
    | 'spawn'
    | 'threadMemoryMb'
    | 'graceMs'
    | 'limits'
    | 'durability'
    | 'stateJsonEveryMs'
    | 'hasTimings'
    | 'retention'
    | 'events'
  > {
  /** Paths or file URLs. */
  readonly toolModules: readonly string[]
  /** Without symbolic links, `''` for none. */
  readonly fileRoot: string
  readonly netPolicy: 'any' | 'public'
  /** Starts and ends with the engine; without one `mcp` tasks echo. */
  readonly mcpHost?: McpHost | null
}

export interface Engine {
  readonly service: Service
  readonly scheduler: Scheduler
  readonly tasks: TaskMetrics
  readonly starts: StartTimes
  /** Rejects, with everything let go, when one of the parts cannot start. */
  start(): Promise<void>
  /** What runs may end by itself within `timeoutMs`, and is killed then. May be called twice. */
  stop(timeoutMs: number): Promise<void>
  /** Kills every running command, for an end that cannot wait. */
  killCommands(): void
}

/** Each commit costs as much as several commands do; nobody who asks for one of many outcomes misses this moment. */
const GATHER_OUTCOMES_MS = 10

const SPAWN_TEXTS = {
  posix: 'commands start by posix_spawn',
  node: 'commands start by node:child_process',
} as const

const nowMs = Date.now
const monotonicMs = (): number => performance.now()

export const createEngine = (settings: EngineSettings, log: KernelLog): Engine => {
  const { maxConcurrency, toolModules, limits, mcpHost = null } = settings
  const store = new LmdbStore({
    dataDir: settings.dataDir,
    nowMs,
    stateJsonEveryMs: settings.stateJsonEveryMs,
    retention: settings.retention,
    events: settings.events,
    onProblem: (err, what) => log.error({ err }, what),
  })
  const starts = new StartTimes()
  const pool = poolOf(settings, starts, log)
  const tasks = new TaskMetrics(nowMs)
  const observers: Observer[] = [tasks]
  if (settings.hasTimings) observers.push(new Timings(monotonicMs))
  if (log.isLevelEnabled?.('debug') === true) observers.push(new TaskLog(log))
  const scheduler = new Scheduler({
    observer: observers.reduce(bothOf),
    gatherMs: GATHER_OUTCOMES_MS,
    store,
    executor: pool,
    slots: maxConcurrency,
    maxUnfinished: limits.unfinishedTasks,
    // A module may bring a tool of the same name.
    instantTools: new Set(toolModules.length === 0 ? ['noop'] : []),
    graceMs: settings.graceMs,
    nowMs,
    monotonicMs,
    log,
  })
  const service = new Service({
    commands: scheduler,
    reader: store,
    limits,
    version: VERSION,
    nowMs,
    durability: settings.durability,
    ...(mcpHost === null ? {} : { mcpServerTools: () => mcpHost.tools() }),
  })
  const stop = async (timeoutMs: number): Promise<void> => {
    service.watchers.stop()
    await scheduler.stop(timeoutMs)
    await mcpHost?.stop()
  }
  return {
    service,
    scheduler,
    tasks,
    starts,
    async start() {
      try {
        await scheduler.start()
        mcpHost?.start()
      } catch (error) {
        await stop(0)
        throw error
      }
    },
    stop,
    killCommands: () => pool.killProcesses(),
  }
}

const poolOf = (settings: EngineSettings, starts: StartTimes, log: KernelLog): Pool =>
  new Pool({
    slots: settings.maxConcurrency,
    startTimes: starts.shared,
    settings: {
      shellPolicy: settings.shellPolicy,
      spawn: settings.spawn,
      toolModules: settings.toolModules.map(moduleUrl),
      outputLimitBytes: settings.limits.outputBytes,
      httpBodyLimitBytes: settings.limits.httpBodyBytes,
      fileReadLimitBytes: settings.limits.fileBytes,
      fileRoot: settings.fileRoot,
      netPolicy: settings.netPolicy,
      hasMcpServers: (settings.mcpHost ?? null) !== null,
    },
    openMcpPort: () => settings.mcpHost!.openPort(),
    threadMemoryMb: settings.threadMemoryMb,
    onSpawnChoice: ({ way, reason }) =>
      log.info({ way, ...(reason === '' ? {} : { reason }) }, SPAWN_TEXTS[way]),
    onThreadLost: (reason) => log.error({ reason }, 'a worker thread ended; another takes its place'),
  })

const moduleUrl = (place: string): string =>
  place.startsWith('file:') ? place : pathToFileURL(resolve(place)).href
