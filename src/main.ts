/**
 * The daemon, put together: the engine (./kernel/engine.ts) and the edges on it. They start inner to outer and stop the
 * other way round.
 */
import type { Logger } from 'pino'
import { formatAddress } from './address.ts'
import { GrpcServer } from './api/grpc/server.ts'
import type { McpEndpoint } from './api/mcp-request.ts'
import { HttpServer } from './api/http/server.ts'
import type { Service } from './api/service.ts'
import { isLoopback } from './api/guard/loopback.ts'
import type { Config } from './config.ts'
import { createEngine } from './kernel/engine.ts'
import { Prometheus } from './metrics/prometheus.ts'
import { openGuards } from './open-guards.ts'
import { openMcpHost } from './open-mcp-host.ts'
import { VERSION } from './version.ts'

export interface Daemon {
  /** Resolves when both servers answer. Rejects, with everything let go, when one of the parts cannot start. */
  start(): Promise<{ readonly http: string; readonly grpc: string }>
  /** Ends gracefully: see contract A1. May be called twice. */
  stop(): Promise<void>
  /** Kills every running command, for an end that cannot wait. */
  killCommands(): void
}

/** @throws with one line that names the setting, where what a guard needs cannot be opened */
export const createDaemon = (config: Config, log: Logger): Daemon => {
  const { fileRoot, ...guards } = openGuards(config.guards, log)
  const mcpHost = openMcpHost(config, log)
  const engine = createEngine({ ...config, fileRoot, netPolicy: config.guards.netPolicy, mcpHost }, log)
  const { service, scheduler, tasks, starts } = engine
  const onFault = (err: unknown, traceId: string): void =>
    log.error({ err, trace_id: traceId }, 'internal error')
  const metricsText = new Prometheus({ scheduler, tasks, starts, dataDir: config.dataDir, version: VERSION })
  const mcp = lazyMcp(service)
  const http = new HttpServer({ service, metricsText, mcp, onFault, address: config.addr, ...guards })
  const grpc = new GrpcServer({ service, onFault, address: config.grpcAddr, ...guards })

  let stopping: Promise<void> | null = null
  const stopParts = async (timeoutMs: number): Promise<void> => {
    grpc.announceStop()
    // The edges go on answering reads while running tasks come to their end; the scheduler takes nothing new.
    await engine.stop(timeoutMs)
    await Promise.all([http.stop(), grpc.stop(1000)])
  }
  const stop = (timeoutMs = config.shutdownTimeoutMs): Promise<void> => {
    stopping ??= stopParts(timeoutMs)
    return stopping
  }
  return {
    async start() {
      await engine.start()
      try {
        const bound = {
          http: await listen('-addr', config.addr, http),
          grpc: await listen('-grpc-addr', config.grpcAddr, grpc),
        }
        if (config.guards.authFile === '') warnOfOpenDoors(config, log)
        log.info({ addr: bound.http, grpc_addr: bound.grpc, version: VERSION }, 'execgo is listening')
        return bound
      } catch (error) {
        // What was begun again meanwhile begins at the next start: nobody waits for it here.
        await stop(0)
        throw error
      }
    },
    stop: () => stop(),
    killCommands: engine.killCommands,
  }
}

/** Loaded with the first request: it takes as long as all the rest of a start. */
const lazyMcp = (service: Service): McpEndpoint => {
  let endpoint: Promise<McpEndpoint> | null = null
  const load = async (): Promise<McpEndpoint> => {
    const { createEndpoint } = await import('./api/mcp/endpoint.ts')
    return createEndpoint(service)
  }
  return async (request) => {
    endpoint ??= load()
    return (await endpoint)(request)
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
