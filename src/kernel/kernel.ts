/**
 * execgo within another program: `createKernel({ … })`, the scheduler, its store and its threads without a server. Light
 * to import, as modules with tools are in each worker thread: what it is made of is loaded when it starts.
 */
import type {
  AnyGraph,
  CancelOptions,
  Execgo,
  ExecgoGraphs,
  ListOptions,
  Ran,
  Signalled,
  SubmitOptions,
  WaitedFor,
  WaitOptions,
} from '../client/api.ts'
import { UnavailableError } from '../client/errors.ts'
import type { EventsOptions } from '../client/events.ts'
import type { GraphBuilder, Steps, TasksOf } from '../client/graph.ts'
import type { GraphSpec, Submitted, Task, TaskEvent, Waited, Why } from '../client/types.ts'
import type { KernelOptions } from './options.ts'
import type { Running } from './running.ts'

/** What runs may take so long to end by itself at a stop. */
const STOP_WITHIN_MS = 15_000

/** To be started before it is asked for anything; it can be started again once it is stopped. */
export class Kernel implements Execgo {
  readonly #options: KernelOptions
  /** Of the last start, until a stop takes it. */
  #starting: Promise<Running> | null = null
  /** The last stop: a start waits for it. */
  #stopping: Promise<void> = Promise.resolve()
  #running: Running | null = null

  constructor(options: KernelOptions = {}) {
    this.#options = options
  }

  /**
   * Takes up what an earlier run left unfinished in the data directory.
   * @returns itself
   * @throws {TypeError} for an option that cannot be used; and where the data directory cannot be, or another process has it
   */
  async start(): Promise<this> {
    // Before anything is waited for: a stop that is called right after this one ends what begins here.
    this.#starting ??= this.#start(this.#stopping)
    const starting = this.#starting
    try {
      await starting
    } catch (error) {
      if (this.#starting === starting) this.#starting = null
      throw error
    }
    return this
  }

  async #start(stopping: Promise<void>): Promise<Running> {
    // Who stopped it is told where that failed.
    await stopping.catch(() => {})
    const { startRunning } = await import('./running.ts')
    this.#running = await startRunning(this.#options)
    return this.#running
  }

  /**
   * Stops: nothing new begins, what runs may end by itself within `timeoutMs` (15 s by default) and is killed then. In a
   * data directory that stays, what is not over is taken up at the next start. May be called twice, or before a start.
   */
  stop({ timeoutMs = STOP_WITHIN_MS }: { timeoutMs?: number } = {}): Promise<void> {
    const starting = this.#starting
    if (starting === null) return this.#stopping
    this.#starting = null
    this.#stopping = this.#stop(starting, timeoutMs)
    return this.#stopping
  }

  async #stop(starting: Promise<Running>, timeoutMs: number): Promise<void> {
    const running = await starting.catch(() => null)
    try {
      await running?.stop(timeoutMs)
    } finally {
      this.#running = null
    }
  }

  /** Kills every running command at once, for an end that cannot wait: it may be called as the process exits. */
  killCommands(): void {
    this.#running?.killCommands()
  }

  get graphs(): ExecgoGraphs {
    return this.#calls.graphs
  }

  async submit(graph: AnyGraph, options?: SubmitOptions): Promise<Submitted> {
    return this.#calls.submit(graph, options)
  }

  run<S extends Steps>(graph: GraphBuilder<S>, options?: SubmitOptions): Promise<Ran<TasksOf<S>>>
  run(graph: GraphSpec, options?: SubmitOptions): Promise<Ran<Record<string, Task>>>
  async run(graph: AnyGraph, options?: SubmitOptions): Promise<Ran<Record<string, Task>>> {
    return this.#calls.run(graph as GraphSpec, options)
  }

  async get<Result = unknown>(id: string, options?: Signalled): Promise<Task<Result>> {
    return this.#calls.get(id, options)
  }

  async has(id: string, options?: Signalled): Promise<boolean> {
    return this.#calls.has(id, options)
  }

  async why(id: string, options?: Signalled): Promise<Why> {
    return this.#calls.why(id, options)
  }

  async *list(options?: ListOptions): AsyncGenerator<Task, void> {
    yield* this.#calls.list(options)
  }

  async wait(what: WaitedFor, options?: WaitOptions): Promise<Waited> {
    return this.#calls.wait(what, options)
  }

  async cancel(id: string, options?: CancelOptions): Promise<Task> {
    return this.#calls.cancel(id, options)
  }

  async delete(id: string, options?: Signalled): Promise<void> {
    return this.#calls.delete(id, options)
  }

  /** Ends with the kernel too. */
  async *events(options?: EventsOptions): AsyncGenerator<TaskEvent, void> {
    yield* this.#calls.events(options)
  }

  async health(options?: Signalled): Promise<{ status: 'ok'; version: string; uptime: string }> {
    return this.#calls.health(options)
  }

  get #calls(): Execgo {
    if (this.#running === null)
      throw new UnavailableError('the kernel does not run: call start() first', 503, '', null)
    return this.#running.calls
  }
}

export const createKernel = (options?: KernelOptions): Kernel => new Kernel(options)
