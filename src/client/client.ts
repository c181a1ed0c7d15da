/**
 * The client of a daemon. Needs nothing but `fetch`: it runs in Node, Bun, Deno and browsers.
 *
 * A submission always carries an idempotency key, so that a try whose answer was lost is never done twice. What the
 * daemon refuses because it is busy, and what got no answer, is tried again; every call takes an `AbortSignal`.
 */
import { NotFoundError } from './errors.ts'
import { type EventsOptions, watch } from './events.ts'
import { GraphBuilder, type Steps, type TasksOf } from './graph.ts'
import { type ClientOptions, Http } from './http.ts'
import type { Graph, GraphSpec, Status, Submitted, Task, TaskEvent, Waited, Why } from './types.ts'

export interface Signalled {
  signal?: AbortSignal | undefined
}

export interface SubmitOptions extends Signalled {
  /** One of its own by default: the same key and graph, submitted again, is answered as before. */
  idempotencyKey?: string
  /** W3C trace context, handed on to commands. */
  traceparent?: string
}

export interface ListOptions extends Signalled {
  status?: Status
  type?: string
  tool?: string
  graphId?: string
  /** Ids that begin with it. */
  prefix?: string
  order?: 'created' | '-created'
}

export interface WaitOptions extends Signalled {
  /** Until all are over, or one; all by default. */
  mode?: 'all' | 'any'
  /** Without it for as long as it takes. */
  timeoutMs?: number
}

/** What `run` came to. */
export interface Ran<Tasks> {
  graphId: string
  /** Whether every task succeeded. */
  ok: boolean
  tasks: Tasks
}

/** The daemon waits for five minutes at most. */
const LONGEST_WAIT_MS = 240_000
const PAGE_TASKS = 1000

export class Client {
  readonly #http: Http
  readonly graphs: Graphs

  constructor(options: ClientOptions = {}) {
    this.#http = new Http(options)
    this.graphs = new Graphs(this.#http)
  }

  /** Resolves when the daemon has it on its disk, and will run it. */
  submit(graph: GraphSpec | GraphBuilder<Steps>, options: SubmitOptions = {}): Promise<Submitted> {
    const { idempotencyKey = newKey(), traceparent, signal } = options
    return this.#http.json('/tasks', {
      method: 'POST',
      body: graph instanceof GraphBuilder ? graph.spec : graph,
      headers: {
        'Idempotency-Key': idempotencyKey,
        ...(traceparent === undefined ? {} : { traceparent }),
      },
      signal,
      isRepeatable: true,
    })
  }

  /** Submits a graph and waits for its end. Whether its tasks succeeded is for you to look at: `ok`. */
  run<S extends Steps>(graph: GraphBuilder<S>, options?: SubmitOptions): Promise<Ran<TasksOf<S>>>
  run(graph: GraphSpec, options?: SubmitOptions): Promise<Ran<Record<string, Task>>>
  async run(
    graph: GraphSpec | GraphBuilder<Steps>,
    options: SubmitOptions = {},
  ): Promise<Ran<Record<string, Task>>> {
    const submitted = await this.submit(graph, options)
    const { tasks } = await this.wait(submitted.task_ids, { signal: options.signal })
    const byId = Object.fromEntries(tasks.map((task) => [task.id, task]))
    return {
      graphId: submitted.graph_id ?? '',
      // One that was removed meanwhile is not among them.
      ok: tasks.length === submitted.task_ids.length && tasks.every(({ status }) => status === 'success'),
      tasks: byId,
    }
  }

  get<Result = unknown>(id: string, { signal }: Signalled = {}): Promise<Task<Result>> {
    return this.#http.json(`/tasks/${encodeURIComponent(id)}`, { signal })
  }

  /** Why a task is not over, or how it ended. */
  why(id: string, { signal }: Signalled = {}): Promise<Why> {
    return this.#http.json(`/tasks/${encodeURIComponent(id)}/why`, { signal })
  }

  /** One by one, fetched in pages. */
  async *list(options: ListOptions = {}): AsyncGenerator<Task, void> {
    const { graphId, signal, ...filters } = options
    const query = new URLSearchParams({ limit: String(PAGE_TASKS) })
    for (const [name, value] of Object.entries({ ...filters, graph_id: graphId }))
      if (value !== undefined) query.set(name, value)
    for (;;) {
      const page = await this.#http.send(`/tasks?${query}`, { signal })
      yield* (await page.json()) as Task[]
      const cursor = page.headers.get('x-next-cursor')
      if (cursor === null) return
      query.set('cursor', cursor)
    }
  }

  /** Waits for tasks, or for a graph. `done` is false where the time was over first. */
  async wait(
    what: readonly string[] | { readonly graphId: string },
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
    }
  }

  /** Stops a task. It need not be over yet when this resolves. @param graceMs between SIGTERM and SIGKILL */
  cancel(id: string, { graceMs, signal }: Signalled & { graceMs?: number } = {}): Promise<Task> {
    return this.#http.json(`/tasks/${encodeURIComponent(id)}/cancel`, {
      method: 'POST',
      ...(graceMs === undefined ? {} : { body: { grace_ms: graceMs } }),
      signal,
    })
  }

  /** Removes the record of a task; what runs goes on. */
  async delete(id: string, { signal }: Signalled = {}): Promise<void> {
    await this.#http.json(`/tasks/${encodeURIComponent(id)}`, { method: 'DELETE', signal })
  }

  /** What happens to tasks, each event once and in order, over reconnects and restarts of the daemon. */
  events(options: EventsOptions = {}): AsyncGenerator<TaskEvent, void> {
    return watch(this.#http, options)
  }

  health({ signal }: Signalled = {}): Promise<{ status: 'ok'; version: string; uptime: string }> {
    return this.#http.json('/health', { signal })
  }

  /** Whether there is a task of this id. */
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

class Graphs {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  get(graphId: string, { signal }: Signalled = {}): Promise<Graph> {
    return this.#http.json(`/graphs/${encodeURIComponent(graphId)}`, { signal })
  }

  /** Newest first. */
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

  /** Stops every task of it that is not over. */
  cancel(graphId: string, { signal }: Signalled = {}): Promise<Graph> {
    return this.#http.json(`/graphs/${encodeURIComponent(graphId)}/cancel`, { method: 'POST', signal })
  }

  /** Runs again what failed or was skipped. */
  retry(graphId: string, { signal }: Signalled = {}): Promise<Graph> {
    return this.#http.json(`/graphs/${encodeURIComponent(graphId)}/retry`, { method: 'POST', signal })
  }

  /** Removes the records of a graph that is over. */
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
