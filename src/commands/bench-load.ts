/** The load of `execgo bench`: connections that each do one request at a time, for as long as they are given. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, ConflictError, NotFoundError, OverloadedError } from '../client/index.ts'
import { clientOf } from './connection.ts'
import type { Terminal } from './terminal.ts'

export interface LoadOptions {
  readonly seconds: number
  readonly connections: number
  /** In each graph. */
  readonly tasks: number
  readonly durability?: 'sync' | 'relaxed'
}

/** In milliseconds. */
export interface Spread {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** What came to its end within the time. */
export interface Figures {
  readonly seconds: number
  readonly connections: number
  readonly tasks_per_graph: number
  readonly graphs: number
  readonly tasks: number
  readonly requests: number
  /** 429s: the daemon was full, or limits requests. */
  readonly refused: number
  readonly latency_ms: { readonly submit: Spread; readonly over: Spread; readonly get: Spread }
}

/** A busy daemon is asked again after this, unless it says when. */
const BUSY_MS = 100
/** For what was under way at the end. */
const LAST_GRAPHS_MS = 10_000

export class Load {
  /** Of the ids of all tasks. */
  readonly prefix = `bench-${randomBytes(4).toString('hex')}-`
  readonly #options: LoadOptions
  readonly #terminal: Terminal
  readonly #client: Client
  /** Graphs whose records are there. */
  readonly #made = new Set<string>()
  readonly #took = { submit: [] as number[], over: [] as number[], get: [] as number[] }
  readonly #stop = new AbortController()
  #refused = 0
  #ranMs = 0

  constructor(terminal: Terminal, options: LoadOptions) {
    this.#client = clientOf(terminal)
    this.#terminal = terminal
    this.#options = options
  }

  async run(): Promise<void> {
    const { signal } = this.#terminal
    // A daemon that is not there, or refuses the token, is told of before anything is made.
    await this.#client.page({ limit: 1, signal })
    const { seconds, connections } = this.#options
    const stop = (): void => this.#stop.abort()
    const timer = setTimeout(stop, seconds * 1000)
    signal.addEventListener('abort', stop)
    const startMs = performance.now()
    let failure: unknown = null
    const connect = async (connection: number): Promise<void> => {
      try {
        await this.#connection(connection)
      } catch (error) {
        if (!this.#isStopped) failure = error
        stop()
      }
    }
    await Promise.all(Array.from({ length: connections }, (_, connection) => connect(connection)))
    this.#ranMs = Math.min(performance.now() - startMs, seconds * 1000)
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    if (failure !== null) throw failure
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  async #connection(connection: number): Promise<void> {
    for (let round = 0; !this.#isStopped; round++) {
      try {
        await this.#round(`${this.prefix}${connection}-${round}-`)
      } catch (error) {
        if (!(error instanceof OverloadedError)) throw error
        this.#refused++
        await delay(error.retryAfterMs ?? BUSY_MS)
      }
    }
  }

  async #round(prefix: string): Promise<void> {
    const { signal } = this.#stop
    const { tasks: size, durability } = this.#options
    const tasks = Array.from({ length: size }, (_, at) => ({ id: `${prefix}${at}`, type: 'noop' }))
    const startMs = performance.now()
    // To its end also after the time: what was accepted is to be removed.
    const submitted = await this.#client.submit({
      tasks,
      ...(durability === undefined ? {} : { durability }),
    })
    const graphId = submitted.graph_id!
    this.#made.add(graphId)
    this.#count('submit', startMs)
    await this.#client.graphs.wait(graphId, { signal })
    this.#count('over', startMs)
    const readMs = performance.now()
    await this.#client.get(tasks[0]!.id, { signal })
    this.#count('get', readMs)
  }

  /** What is answered after the end is not counted. */
  #count(name: keyof Figures['latency_ms'], startMs: number): void {
    if (!this.#isStopped) this.#took[name].push(performance.now() - startMs)
  }

  /** Also after an abort. @returns how many graphs are left */
  async cleanUp(): Promise<number> {
    const left = [...this.#made]
    const remove = async (): Promise<void> => {
      for (let graphId = left.pop(); graphId !== undefined; graphId = left.pop()) await this.#remove(graphId)
    }
    await Promise.all(Array.from({ length: this.#options.connections }, remove))
    return this.#made.size
  }

  async #remove(graphId: string): Promise<void> {
    const { graphs } = this.#client
    for (const endMs = performance.now() + LAST_GRAPHS_MS; ; await delay(BUSY_MS)) {
      try {
        await graphs.delete(graphId)
      } catch (error) {
        const isUnderWay = error instanceof ConflictError
        if (isUnderWay) await graphs.cancel(graphId).catch(() => {})
        const isWorthATry = isUnderWay || error instanceof OverloadedError
        if (isWorthATry && performance.now() < endMs) continue
        if (!(error instanceof NotFoundError)) return
      }
      this.#made.delete(graphId)
      return
    }
  }

  get figures(): Figures {
    const { seconds, connections, tasks } = this.#options
    const { submit, over, get } = this.#took
    return {
      seconds: this.#ranMs === 0 ? seconds : this.#ranMs / 1000,
      connections,
      tasks_per_graph: tasks,
      graphs: over.length,
      tasks: over.length * tasks,
      requests: submit.length + over.length + get.length,
      refused: this.#refused,
      latency_ms: { submit: spreadOf(submit), over: spreadOf(over), get: spreadOf(get) },
    }
  }
}

/** Zeros where there is nothing. */
const spreadOf = (values: readonly number[]): Spread => {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number): number =>
    sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}
