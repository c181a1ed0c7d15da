/**
 * The client of a daemon. Needs nothing but `fetch`: it runs in Node, Bun, Deno and browsers.
 *
 * A submission always carries an idempotency key, so that a try whose answer was lost is never done twice. What the
 * daemon refuses because it is busy, and what got no answer, is tried again; every call takes an `AbortSignal`.
 */
import {
  type AnyGraph,
  type CancelOptions,
  type Execgo,
  type ExecgoGraphs,
  type ListOptions,
  type Ran,
  type Signalled,
  type SubmitOptions,
  type WaitOptions,
  type WaitedFor,
  runGraph,
  specOf,
} from './api.ts'
import { NotFoundError } from './errors.ts'
import { type EventsOptions, lastEvent, watch } from './events.ts'
import type { GraphBuilder, Steps, TasksOf } from './graph.ts'
import { type ClientOptions, Http, delay } from './http.ts'
import type { Graph, GraphSpec, Submitted, Task, TaskEvent, Waited, Why } from './types.ts'

export interface PageOptions extends ListOptions {
  /** At most so many, 1000 at most. */
  limit?: number
  /** Where the page before ended. */
  cursor?: string
}

export interface TaskPage {
  tasks: Task[]
  /** Of the page that follows; `null` at the end. */
  nextCursor: string | null
}

/** The daemon waits for five minutes at most. */
const LONGEST_WAIT_MS = 240_000
/** Between two waits. */
const AGAIN_AFTER_MS = 500
const PAGE_TASKS = 1000

export class Client implements Execgo {
  readonly #http: Http
  readonly graphs: Graphs

  constructor(options: ClientOptions = {}) {
    this.#http = new Http(options)
    this.graphs = new Graphs(this.#http)
  }

  /** Resolves when the daemon has it on its disk, and will run it. */
  submit(graph: AnyGraph, options: SubmitOptions = {}): Promise<Submitted> {
    const { idempotencyKey = newKey(), traceparent, signal } = options
    return this.#http.json('/tasks', {
      method: 'POST',
      body: specOf(graph),
      headers: {
        'Idempotency-Key': idempotencyKey,
        ...(traceparent === undefined ? {} : { traceparent }),
      },
      signal,
      isRepeatable: true,
    })
  }

  run<S extends Steps>(graph: GraphBuilder<S>, options?: SubmitOptions): Promise<Ran<TasksOf<S>>>
  run(graph: GraphSpec, options?: SubmitOptions): Promise<Ran<Record<string, Task>>>
  run(graph: AnyGraph, options: SubmitOptions = {}): Promise<Ran<Record<string, Task>>> {
    return runGraph(this, graph, options)
  }

  get<Result = unknown>(id: string, { signal }: Signalled = {}): Promise<Task<Result>> {
    return this.#http.json(`/tasks/${encodeURIComponent(id)}`, { signal })
  }

  why(id: string, { signal }: Signalled = {}): Promise<Why> {
    return this.#http.json(`/tasks/${encodeURIComponent(id)}/why`, { signal })
  }

  async *list(options: ListOptions = {}): AsyncGenerator<Task, void> {
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: TaskPage = await this.page({ ...options, limit: PAGE_TASKS, cursor })
      yield* page.tasks
      cursor = page.nextCursor
    }
  }

  /** Some of the list, and where it goes on. */
  async page({ graphId, limit, signal, ...filters }: PageOptions = {}): Promise<TaskPage> {
    const query = new URLSearchParams({ limit: String(limit ?? PAGE_TASKS) })
    for (const [name, value] of Object.entries({ ...filters, graph_id: graphId }))
      if (value) query.set(name, value)
    const { value: tasks, headers } = await this.#http.answer<Task[]>(`/tasks?${query}`, { signal })
    return { tasks, nextCursor: headers.get('x-next-cursor') }
  }

  async wait(
    what: WaitedFor,
    { mode = 'all', timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions = {},
  ): Promise<Waited> {
    const wanted = 'graphId' in what ? { graph_id: what.graphId } : { task_ids: what }
    const endMs = performance.now() + timeoutMs
    for (;;) {
      const leftMs = Math.max(0, Math.round(endMs - performance.now()))
      const timeout = `${Math.min(LONGEST_WAIT_MS, leftMs)}ms`
      const waited = await this.#http.json<Waited>('/tasks/wait', {
        method: 'POST',
        body: { ...wanted, mode, timeout },
        signal,
        isRepeatable: true,
      })
      if (waited.done || performance.now() >= endMs) return waited
      // A daemon that is shutting down answers at once, over and over.
      await delay(Math.min(AGAIN_AFTER_MS, endMs - performance.now()), signal)
    }
  }

  cancel(id: string, { graceMs, signal }: CancelOptions = {}): Promise<Task> {
    return this.#http.json(`/tasks/${encodeURIComponent(id)}/cancel`, {
      method: 'POST',
      ...(graceMs === undefined ? {} : { body: { grace_ms: graceMs } }),
      signal,
    })
  }

  async delete(id: string, { signal }: Signalled = {}): Promise<void> {
    await this.#http.json(`/tasks/${encodeURIComponent(id)}`, { method: 'DELETE', signal })
  }

  events(options: EventsOptions = {}): AsyncGenerator<TaskEvent, void> {
    return watch(this.#http, options)
  }

  /** The number of the last event there is, 0 before the first: what comes from now on has higher ones. */
  lastEvent({ signal }: Signalled = {}): Promise<number> {
    return lastEvent(this.#http, signal)
  }

  /** OpenAPI 3.1. */
  openapi({ signal }: Signalled = {}): Promise<Record<string, unknown>> {
    return this.#http.json('/openapi.json', { signal })
  }

  health({ signal }: Signalled = {}): Promise<{ status: 'ok'; version: string; uptime: string }> {
    return this.#http.json('/health', { signal })
  }

  async has(id: string, options: Signalled = {}): Promise<boolean> {
    try {
      await this.get(id, options)
      return true
    } catch (error) {
      if (error instanceof NotFoundError) return false
      throw error
    }
  }
}

class Graphs implements ExecgoGraphs {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  get(graphId: string, { signal }: Signalled = {}): Promise<Graph> {
    return this.#http.json(`/graphs/${encodeURIComponent(graphId)}`, { signal })
  }

  /** Waits until it is over. `finished_at` is absent where the time was over first. */
  async wait(
    graphId: string,
    { timeoutMs = Number.POSITIVE_INFINITY, signal }: Signalled & { timeoutMs?: number } = {},
  ): Promise<Graph> {
    const endMs = performance.now() + timeoutMs
    for (;;) {
      const leftMs = Math.max(0, Math.round(endMs - performance.now()))
      const query = `?wait=${Math.min(LONGEST_WAIT_MS, leftMs)}ms`
      const graph = await this.#http.json<Graph>(`/graphs/${encodeURIComponent(graphId)}${query}`, { signal })
      if (graph.finished_at !== undefined || performance.now() >= endMs) return graph
      await delay(Math.min(AGAIN_AFTER_MS, endMs - performance.now()), signal)
    }
  }

  async *list({ signal }: Signalled = {}): AsyncGenerator<Graph, void> {
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const page: { graphs: Graph[]; next_cursor: string | null } = await this.#http.json(
        `/graphs?limit=${PAGE_TASKS}${query}`,
        { signal },
      )
      yield* page.graphs
      cursor = page.next_cursor
    }
  }

  cancel(graphId: string, { graceMs, signal }: CancelOptions = {}): Promise<Graph> {
    return this.#http.json(`/graphs/${encodeURIComponent(graphId)}/cancel`, {
      method: 'POST',
      ...(graceMs === undefined ? {} : { body: { grace_ms: graceMs } }),
      signal,
    })
  }

  retry(graphId: string, { signal }: Signalled = {}): Promise<Graph> {
    return this.#http.json(`/graphs/${encodeURIComponent(graphId)}/retry`, { method: 'POST', signal })
  }

  async delete(graphId: string, { signal }: Signalled = {}): Promise<void> {
    await this.#http.json(`/graphs/${encodeURIComponent(graphId)}`, { method: 'DELETE', signal })
  }
}

/** Not randomUUID(), which browsers have in secure contexts only. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, '0')).join(
    '',
  )

export const createClient = (options?: ClientOptions): Client => new Client(options)
