/** The MCP tools over a client: `execgo mcp` beside a daemon, which judges each call as it does any other. */
import type {
  Accepted,
  AskedPage,
  Backend,
  SubmitOptions,
  TaskObject,
  TaskPage,
  WaitFor,
} from '../api/mcp/backend.ts'
import {
  type Client,
  ConnectionError,
  type Graph,
  type GraphSpec,
  type PageOptions,
  RefusedError,
} from '../client/index.ts'
import { type ProblemCode, type Result, ok, refused } from '../domain/errors.ts'

/** What a status of the daemon says; others are faults of its own. */
const CODES: Readonly<Record<number, ProblemCode>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'too_slow',
  409: 'conflict',
  410: 'gone',
  413: 'too_large',
  422: 'mismatch',
  429: 'overloaded',
  503: 'unavailable',
}

export class ClientBackend implements Backend {
  readonly #client: Client
  /** It is another process: where it stops, it does not answer. */
  readonly isStopping = false

  constructor(client: Client) {
    this.#client = client
  }

  submit(graph: unknown, { idempotencyKey, traceparent }: SubmitOptions): Promise<Result<Accepted>> {
    return asked(
      this.#client.submit(graph as GraphSpec, {
        ...(idempotencyKey === '' ? {} : { idempotencyKey }),
        ...(traceparent === '' ? {} : { traceparent }),
      }),
    )
  }

  task(id: string): Promise<Result<TaskObject>> {
    return asked(this.#client.get(id) as Promise<unknown> as Promise<TaskObject>)
  }

  graph(id: string, withinMs: number, signal: AbortSignal): Promise<Result<Graph>> {
    const { graphs } = this.#client
    const graph = withinMs > 0 ? graphs.wait(id, { timeoutMs: withinMs, signal }) : graphs.get(id, { signal })
    return asked(graph, signal)
  }

  async wait({ taskIds, graphId, mode, timeoutMs }: WaitFor, signal: AbortSignal): Promise<Result<boolean>> {
    const wanted = taskIds ?? { graphId }
    const waited = await asked(this.#client.wait(wanted, { mode, timeoutMs, signal }), signal)
    return waited.ok ? ok(waited.value.done) : waited
  }

  async page({ graph_id, limit, ...filters }: AskedPage): Promise<Result<TaskPage>> {
    const given = Object.entries({ ...filters, graphId: graph_id }).filter(([, value]) => value)
    const page = await asked(
      this.#client.page({ ...(Object.fromEntries(given) as PageOptions), limit: Number(limit) }),
    )
    if (!page.ok) return page
    const tasks = page.value.tasks as unknown as readonly TaskObject[]
    return ok({ tasks, nextCursor: page.value.nextCursor ?? '' })
  }

  cancelTask(id: string, graceMs?: number): Promise<Result<TaskObject>> {
    const cancelled = this.#client.cancel(id, graceMs === undefined ? {} : { graceMs })
    return asked(cancelled as Promise<unknown> as Promise<TaskObject>)
  }

  cancelGraph(id: string, graceMs?: number): Promise<Result<Graph>> {
    return asked(this.#client.graphs.cancel(id, graceMs === undefined ? {} : { graceMs }))
  }
}

/** A refusal as a value. Who has gone away hears nothing more, whatever it is. */
const asked = async <T>(answer: Promise<T>, signal?: AbortSignal): Promise<Result<T>> => {
  try {
    return ok(await answer)
  } catch (error) {
    if (signal?.aborted === true) return refused('gone', 'the call was given up')
    if (error instanceof RefusedError) return refused(CODES[error.status] ?? 'internal', error.message)
    if (error instanceof ConnectionError)
      return refused(
        'unavailable',
        `the daemon does not answer (${error.message}): it is started with \`execgo\`, and EXECGO_URL says where it is`,
      )
    throw error
  }
}
