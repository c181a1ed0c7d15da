/** Both edges over one real service, with an executor that decides by the input how each attempt ends. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GrpcServer } from '../../src/api/grpc/server.ts'
import { HttpServer } from '../../src/api/http/server.ts'
import { Service } from '../../src/api/service.ts'
import { DEFAULT_LIMITS, type Limits } from '../../src/domain/limits.ts'
import type { Executor, ExecutorEvents } from '../../src/pool/executor.ts'
import type { Assignment, Outcome } from '../../src/pool/messages.ts'
import { Scheduler } from '../../src/scheduler/scheduler.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'

/** Answers `{"echo":<input>}` at the next turn; fails where the input has `fail`. */
class EchoExecutor implements Executor {
  #events: ExecutorEvents | null = null

  async start(events: ExecutorEvents): Promise<void> {
    this.#events = events
  }

  async stop(): Promise<void> {}

  dispatch(assignments: readonly Assignment[]): void {
    setImmediate(() => this.#events?.onOutcomes(assignments.map(outcome)))
  }

  abort(): void {}
  killProcesses(): void {}
}

const outcome = ({ ref, inputJson }: Assignment): Outcome => {
  const hasFailed = inputJson.includes('"fail"')
  return {
    ref,
    status: hasFailed ? 'failed' : 'success',
    outputJson: hasFailed ? '' : `{"echo":${inputJson || 'null'}}`,
    detailsJson: '',
    startedMs: Date.now(),
    finishedMs: Date.now(),
    ranMs: 0,
    message: hasFailed ? 'it was told to fail' : '',
    code: hasFailed ? 'external_failure' : 'unknown',
    retryable: false,
    isFinal: hasFailed,
  }
}

export interface Edge {
  readonly service: Service
  readonly grpc: GrpcServer
  /** Of the scheduler too. */
  readonly store: MemoryStore
  readonly grpcAddress: string
  readonly httpUrl: string
  /** What onFault was told. */
  readonly faults: { readonly error: unknown; readonly traceId: string }[]
}

/** Started, and stopped after the test. */
export const startEdge = async (
  t: { after(end: () => Promise<void>): void },
  limits: Partial<Limits> = {},
): Promise<Edge> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'execgo-grpc-'))
  const nowMs = Date.now
  const store = new MemoryStore({ dataDir, saveEveryMs: 0, nowMs, onSaveError: () => {} })
  const quiet = (): void => {}
  const scheduler = new Scheduler({
    store,
    executor: new EchoExecutor(),
    slots: 4,
    maxUnfinished: 1_000_000,
    instantTools: new Set(),
    graceMs: 10,
    nowMs,
    monotonicMs: () => performance.now(),
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  })
  await scheduler.start()
  const service = new Service({
    commands: scheduler,
    reader: store,
    limits: { ...DEFAULT_LIMITS, ...limits },
    version: '9.8.7',
    nowMs,
  })
  const faults: { error: unknown; traceId: string }[] = []
  const onFault = (error: unknown, traceId: string): void => void faults.push({ error, traceId })
  const address = { host: '127.0.0.1', port: 0 }
  const grpc = new GrpcServer({ service, address, onFault })
  const http = new HttpServer({ service, address, onFault })
  const grpcAddress = await grpc.start()
  const httpUrl = `http://${await http.start()}`
  t.after(async () => {
    await Promise.all([grpc.stop(100), http.stop(100)])
    await scheduler.stop(1000)
    await rm(dataDir, { recursive: true, force: true })
  })
  return { service, grpc, store, grpcAddress, httpUrl, faults }
}
