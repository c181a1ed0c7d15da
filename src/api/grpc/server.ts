/** The gRPC server: the sockets around the calls, with health checking and reflection beside them. */
import { fileURLToPath } from 'node:url'
import { Server, ServerCredentials, logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import { type ServiceDefinition, loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation, protoPath as healthProtoPath } from 'grpc-health-check'
import { type Address, formatAddress } from '../../address.ts'
import { packageRoot } from '../../package-root.ts'
import type { Guard } from '../guard/guard.ts'
import { gate } from './gate.ts'
import { type HandlersOptions, createHandlers } from './handlers.ts'
import { patience } from './patience.ts'

export interface GrpcServerOptions extends HandlersOptions {
  readonly address: Address
  readonly guard?: Guard
  /** PEM; without it, no TLS. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
}

const SERVICE = 'execgo.v1.ExecGo'

/** The names that a health check may ask for: the whole server, and the one service. */
const HEALTH_NAMES = ['', SERVICE]

/** Allowed beyond the limit on a body: a graph that just fits as JSON should fit as a message too. */
const HEADROOM_BYTES = 64 * 1024

const protoPath = fileURLToPath(new URL('proto/execgo/v1/execgo.proto', packageRoot))

export class GrpcServer {
  readonly #address: Address
  readonly #server: Server
  readonly #credentials: ServerCredentials
  readonly #health = new HealthImplementation(
    Object.fromEntries(HEALTH_NAMES.map((name) => [name, 'SERVING'])),
  )
  #starting: Promise<string> | null = null
  #stopping: Promise<void> | null = null

  constructor(options: GrpcServerOptions) {
    this.#address = options.address
    const { guard, tls } = options
    this.#credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.cert }])
    const { bodyBytes, headerMs, bodyMs } = options.service.limits
    this.#server = new Server({
      interceptors: [patience(bodyMs), ...(guard === undefined || guard.isIdle ? [] : [gate(guard)])],
      'grpc.max_receive_message_length': bodyBytes + HEADROOM_BYTES,
      'grpc.max_send_message_length': -1,
      // One that does not get as far as a call has none either.
      'grpc.max_connection_idle_ms': bodyMs,
      // A ping finds out who is gone without a word, and who sends headers without an end.
      'grpc.keepalive_time_ms': headerMs,
      'grpc.keepalive_timeout_ms': headerMs,
    })
    const definitions = loadSync([protoPath, healthProtoPath], {
      keepCase: true,
      longs: Number,
      defaults: true,
    })
    this.#server.addService(definitions[SERVICE] as ServiceDefinition, createHandlers(options))
    this.#health.addToServer(this.#server)
    new ReflectionService(definitions).addToServer(this.#server)
  }

  /**
   * Listens; resolves to the address, with the port that a port 0 became. Rejects with the system's reason, which names
   * the address too. Not to be started again once stopped.
   */
  start(): Promise<string> {
    this.#starting ??= this.#listen()
    return this.#starting
  }

  /** Answers health checks by NOT_SERVING from now on, and everything else as before: for a stop that takes its time. */
  announceStop(): void {
    for (const name of HEALTH_NAMES) this.#health.setStatus(name, 'NOT_SERVING')
  }

  /** Takes no more connections and calls, lets those under way end, for `withinMs` at most. */
  stop(withinMs = 1000): Promise<void> {
    this.#stopping ??= this.#shutDown(withinMs)
    return this.#stopping
  }

  async #listen(): Promise<string> {
    // What goes wrong is in the callback's error; grpc-js would print it too, past our log.
    setLogVerbosity(logVerbosity.NONE)
    const { host, port } = this.#address
    if (host !== '') return this.#bind(host, port)
    try {
      return await this.#bind('::', port)
    } catch (error) {
      // Without IPv6 on this machine, every interface is every IPv4 interface.
      if (!/EAFNOSUPPORT|EADDRNOTAVAIL|EINVAL/.test((error as Error).message)) throw error
      return this.#bind('0.0.0.0', port)
    }
  }

  #bind(host: string, port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const target = `dns:${formatAddress(host, port)}`
      this.#server.bindAsync(target, this.#credentials, (error, bound) => {
        if (error === null) resolve(formatAddress(host, bound))
        else reject(new Error(reasonIn(error.message), { cause: error }))
      })
    })
  }

  async #shutDown(withinMs: number): Promise<void> {
    this.announceStop()
    await this.#starting?.catch(() => {})
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#server.forceShutdown()
        resolve()
      }, withinMs)
      this.#server.tryShutdown(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

/** The system's own words, out of `No address added out of total 1 resolved errors: [listen EADDRINUSE: …]`. */
const reasonIn = (message: string): string => /errors: \[(.+)\]$/s.exec(message)?.[1] ?? message
