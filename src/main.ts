/**
 * The daemon, put together: the only place that names concrete parts. They start inner to outer (store, pool and
 * scheduler, then the edges) and stop the other way round.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Logger } from 'pino'
import { formatAddress } from './address.ts'
import { GrpcServer } from './api/grpc/server.ts'
import { HttpServer } from './api/http/server.ts'
import { Service } from './api/service.ts'
import { isLoopback } from './api/guard/loopback.ts'
import type { Config } from './config.ts'
import { Prometheus } from './metrics/prometheus.ts'
import { StartTimes } from './metrics/start-times.ts'
import { TaskLog } from './metrics/task-log.ts'
import { TaskMetrics } from './metrics/task-metrics.ts'
import { Timings } from './metrics/timings.ts'
import { openGuards } from './open-guards.ts'
import { Pool } from './pool/pool.ts'
import { bothOf, type Observer } from './scheduler/observer.ts'
import { Scheduler } from './scheduler/scheduler.ts'
import { LmdbStore } from './store/lmdb/lmdb-store.ts'
import { VERSION } from './version.ts'

export interface Daemon {
  /** Resolves when both servers answer. Rejects, with everything let go, when one of the parts cannot start. */
  start(): Promise<{ readonly http: string; readonly grpc: string }>
  /** Ends gracefully: see contract A1. May be called twice. */
  stop(): Promise<void>
  /** Kills every running command, for an end that cannot wait. */
  killCommands(): void
}

/** Each commit costs as much as several commands do; nobody who asks for one of many outcomes misses this moment. */
const GATHER_OUTCOMES_MS = 10

const SPAWN_TEXTS = {
  posix: 'commands start by posix_spawn',
  node: 'commands start by node:child_process',
} as const

/** @throws with one line that names the setting, where what a guard needs cannot be opened */
export const createDaemon = (config: Config, log: Logger): Daemon => {
  const nowMs = Date.now
  const monotonicMs = (): number => performance.now()
  const { fileRoot, ...guards } = openGuards(config.guards, log)
  const store = new LmdbStore({
    dataDir: config.dataDir,
    nowMs,
    stateJsonEveryMs: config.stateJsonEveryMs,
    retention: config.retention,
    events: config.events,
    onProblem: (err, what) => log.error({ err }, what),
  })
  const starts = new StartTimes()
  const pool = new Pool({
    slots: config.maxConcurrency,
    startTimes: starts.shared,
    settings: {
      shellPolicy: config.shellPolicy,
      spawn: config.spawn,
      toolModules: config.toolModules.map((path) => pathToFileURL(resolve(path)).href),
      outputLimitBytes: config.limits.outputBytes,
      httpBodyLimitBytes: config.limits.httpBodyBytes,
      fileReadLimitBytes: config.limits.fileBytes,
      fileRoot,
      netPolicy: config.guards.netPolicy,
    },
    threadMemoryMb: config.threadMemoryMb,
    onSpawnChoice: ({ way, reason }) =>
      log.info({ way, ...(reason === '' ? {} : { reason }) }, SPAWN_TEXTS[way]),
    onThreadLost: (reason) => log.error({ reason }, 'a worker thread ended; another takes its place'),
  })
  const tasks = new TaskMetrics(nowMs)
  const observers: Observer[] = [tasks]
  if (config.hasTimings) observers.push(new Timings(monotonicMs))
  if (log.isLevelEnabled('debug')) observers.push(new TaskLog(log))
  const scheduler = new Scheduler({
    observer: observers.reduce(bothOf),
    gatherMs: GATHER_OUTCOMES_MS,
    store,
    executor: pool,
    slots: config.maxConcurrency,
    maxUnfinished: config.limits.unfinishedTasks,
    // A module may bring a tool of the same name.
    instantTools: new Set(config.toolModules.length === 0 ? ['noop'] : []),
    graceMs: config.graceMs,
    nowMs,
    monotonicMs,
    log,
  })
  const service = new Service({
    commands: scheduler,
    reader: store,
    limits: config.limits,
    version: VERSION,
    nowMs,
    durability: config.durability,
  })
  const onFault = (err: unknown, traceId: string): void =>
    log.error({ err, trace_id: traceId }, 'internal error')
  const metricsText = new Prometheus({ scheduler, tasks, starts, dataDir: config.dataDir, version: VERSION })
  const http = new HttpServer({ service, metricsText, onFault, address: config.addr, ...guards })
  const grpc = new GrpcServer({ service, onFault, address: config.grpcAddr, ...guards })

  let stopping: Promise<void> | null = null
  const stopParts = async (): Promise<void> => {
    grpc.announceStop()
    service.watchers.stop()
    // The edges go on answering reads while running tasks come to their end; the scheduler takes nothing new.
    await scheduler.stop(config.shutdownTimeoutMs)
    await Promise.all([http.stop(), grpc.stop(1000)])
  }
  const stop = (): Promise<void> => {
    stopping ??= stopParts()
    return stopping
  }
  return {
    async start() {
      await scheduler.start()
      try {
        const bound = {
          http: await listen('-addr', config.addr, http),
          grpc: await listen('-grpc-addr', config.grpcAddr, grpc),
        }
        if (config.guards.authFile === '') warnOfOpenDoors(config, log)
        log.info({ addr: bound.http, grpc_addr: bound.grpc, version: VERSION }, 'execgo is listening')
        return bound
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
    killCommands: () => pool.killProcesses(),
  }
}

const warnOfOpenDoors = ({ addr, grpcAddr }: Config, log: Logger): void => {
  for (const [flag, { host, port }] of [['-addr', addr] as const, ['-grpc-addr', grpcAddr] as const]) {
    if (!isLoopback(host))
      log.warn(
        { [flag.slice(1)]: formatAddress(host, port) },
        `${flag} is open to other machines, and nobody is asked for a token: whoever reaches it may run commands (see EXECGO_AUTH_FILE)`,
      )
  }
}

/** Starts an edge; a failure names the setting behind it. */
const listen = async (
  flag: string,
  { host, port }: Config['addr'],
  server: { start(): Promise<string> },
): Promise<string> => {
  try {
    return await server.start()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${flag}: cannot listen on ${formatAddress(host, port)}: ${reason}`, { cause: error })
  }
}
