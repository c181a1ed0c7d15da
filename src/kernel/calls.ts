/** The service as a client knows it: the same calls, shapes and errors, without a wire between. */

import { eventJson } from '../api/events.ts'
import { graceIn } from '../api/grace.ts'
import type { GraphView } from '../api/graph-view.ts'
import { HTTP_STATUS } from '../api/http-status.ts'
import { parseGraph, parseJson } from '../api/schemas.ts'
import type { Service } from '../api/service.ts'
import { waitFor } from '../api/wait-query.ts'
import {
  type AnyGraph,
  type CancelOptions,
  type Execgo,
  type ExecgoGraphs,
  type ListOptions,
  type Ran,
  runGraph,
  type Signalled,
  type SubmitOptions,
  specOf,
  type WaitedFor,
  type WaitOptions,
} from '../client/api.ts'
import { refusedError } from '../client/errors.ts'
import type { EventsOptions } from '../client/events.ts'
import type { GraphBuilder, Steps, TasksOf } from '../client/graph.ts'
import type { Graph, GraphSpec, Submitted, Task, TaskEvent, Waited, Why } from '../client/types.ts'
import { type Result, refused } from '../domain/errors.ts'
import { traceparentIn } from '../domain/trace-context.ts'

const PAGE_TASKS = 1000
const PAGE_GRAPHS = 100
/** A timer takes no more; after it the wait begins again. */
const LONGEST_WAIT_MS = 60 * 60 * 1000

export class Calls implements Execgo {
  readonly graphs: ExecgoGraphs
  readonly #service: Service
  readonly #stopped: AbortSignal

  /** @param stopped aborted when the kernel is told to stop */
  constructor(service: Service, stopped: AbortSignal) {
    this.#service = service
    this.#stopped = stopped
    this.graphs = new GraphCalls(service)
  }

  async submit(
    graph: AnyGraph,
    { idempotencyKey, traceparent = '', signal }: SubmitOptions = {},
  ): Promise<Submitted> {
    signal?.throwIfAborted()
    // By way of its text, as over a wire: what JSON cannot say is gone, and nobody changes it while it is looked at.
    const body = JSON.stringify(specOf(graph)) ?? ''
    const { limits } = this.#service
    if (Buffer.byteLength(body) > limits.bodyBytes)
      return granted(refused('too_large', `the graph is larger than ${limits.bodyBytes} bytes`))
    const parsed = parseGraph(granted(parseJson(body, limits.jsonDepth)), limits)
    const name = idempotencyKey === undefined ? undefined : { key: idempotencyKey, body }
    const tasks = granted(parsed)
    const begin = () => this.#service.submit(tasks, name, traceparentIn(traceparent))
    return granted(await heeding(signal, begin)).answer as Submitted
  }

  run<S extends Steps>(graph: GraphBuilder<S>, options?: SubmitOptions): Promise<Ran<TasksOf<S>>>
  run(graph: GraphSpec, options?: SubmitOptions): Promise<Ran<Record<string, Task>>>
  run(graph: AnyGraph, options: SubmitOptions = {}): Promise<Ran<Record<string, Task>>> {
    return runGraph(this, graph, options)
  }

  async get<Result = unknown>(id: string, { signal }: Signalled = {}): Promise<Task<Result>> {
    return taskIn(granted(await heeding(signal, () => this.#service.get(id)))) as Task<Result>
  }

  async has(id: string, { signal }: Signalled = {}): Promise<boolean> {
    const found = await heeding(signal, () => this.#service.get(id))
    if (!found.ok && found.problem.code !== 'not_found') return granted(found)
    return found.ok
  }

  async why(id: string, { signal }: Signalled = {}): Promise<Why> {
    return granted(await heeding(signal, () => this.#service.why(id))) as unknown as Why
  }

  async *list({ graphId, signal, ...filters }: ListOptions = {}): AsyncGenerator<Task, void> {
    const asked = { ...filters, graph_id: graphId, limit: String(PAGE_TASKS) }
    for (let cursor = ''; ; ) {
      const page = granted(await heeding(signal, () => this.#service.page({ ...asked, cursor })))
      for (const text of page.tasks) yield taskIn(text)
      cursor = page.nextCursor
      if (cursor === '') return
    }
  }

  async wait(
    what: WaitedFor,
    { mode = 'all', timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions = {},
  ): Promise<Waited> {
    const [ids, graphId] = 'graphId' in what ? [[], what.graphId] : [what, '']
    const gone = signal ?? new AbortController().signal
    const endMs = performance.now() + timeoutMs
    for (;;) {
      signal?.throwIfAborted()
      const leftMs = Math.max(0, endMs - performance.now())
      const wanted = granted(waitFor(ids, graphId, mode, Math.min(LONGEST_WAIT_MS, leftMs)))
      const { done, tasks } = granted(await this.#service.watchers.waiting.tasks(wanted, gone))
      signal?.throwIfAborted()
      if (done || performance.now() >= endMs) return { done, tasks: await tasksIn(tasks) }
      if (this.#stopped.aborted) throw stoppedError()
    }
  }

  async cancel(id: string, { graceMs, signal }: CancelOptions = {}): Promise<Task> {
    const grace = granted(graceIn(graceMs))
    return taskIn(granted(await heeding(signal, () => this.#service.cancel(id, grace))))
  }

  async delete(id: string, { signal }: Signalled = {}): Promise<void> {
    granted(await heeding(signal, () => this.#service.remove(id)))
  }

  /** Ends with the kernel too. */
  async *events({
    taskId = '',
    graphId = '',
    types = [],
    after,
    signal,
  }: EventsOptions = {}): AsyncGenerator<TaskEvent, void> {
    if (signal?.aborted === true) return
    const { events } = this.#service.watchers
    const open = (lastEventId: string) => granted(events.open({ taskId, graphId, types, lastEventId }))
    const reader = open(after === undefined ? '' : String(after))
    const close = (): void => reader.close()
    signal?.addEventListener('abort', close)
    const isOver = (): boolean => signal?.aborted === true || this.#stopped.aborted
    try {
      for (;;) {
        const some = await reader.next(LONGEST_WAIT_MS)
        if (isOver()) return
        // The history went on without it: to ask for more says so.
        if (some === null) return open(String(reader.place)).close()
        for (const event of some) {
          yield JSON.parse(eventJson(event)) as TaskEvent
          if (isOver()) return
        }
      }
    } finally {
      signal?.removeEventListener('abort', close)
      reader.close()
    }
  }

  async health({ signal }: Signalled = {}): Promise<{ status: 'ok'; version: string; uptime: string }> {
    signal?.throwIfAborted()
    return this.#service.health()
  }
}

class GraphCalls implements ExecgoGraphs {
  readonly #service: Service

  constructor(service: Service) {
    this.#service = service
  }

  get(graphId: string, { signal }: Signalled = {}): Promise<Graph> {
    return graphIn(heeding(signal, () => this.#service.graph(graphId)))
  }

  async *list({ signal }: Signalled = {}): AsyncGenerator<Graph, void> {
    for (let cursor: string | null = ''; cursor !== null; ) {
      const from: string = cursor
      const { graphs, next_cursor }: GraphPage = granted(
        await heeding(signal, () => this.#service.graphs(PAGE_GRAPHS, from)),
      )
      yield* graphs
      cursor = next_cursor
    }
  }

  async cancel(graphId: string, { graceMs, signal }: CancelOptions = {}): Promise<Graph> {
    return graphIn(heeding(signal, () => this.#service.cancelGraph(graphId, granted(graceIn(graceMs)))))
  }

  retry(graphId: string, { signal }: Signalled = {}): Promise<Graph> {
    return graphIn(heeding(signal, () => this.#service.retryGraph(graphId)))
  }

  async delete(graphId: string, { signal }: Signalled = {}): Promise<void> {
    granted(await heeding(signal, () => this.#service.removeGraph(graphId)))
  }
}

interface GraphPage {
  readonly graphs: readonly GraphView[]
  readonly next_cursor: string | null
}

/** @throws the error of a client where it was refused */
const granted = <T>(result: Result<T>): T => {
  if (result.ok) return result.value
  throw refusedError(result.problem.message, HTTP_STATUS[result.problem.code])
}

const stoppedError = (): Error => refusedError('the kernel is stopped', HTTP_STATUS.unavailable)

const graphIn = async (graph: Promise<Result<GraphView>>): Promise<Graph> => granted(await graph)

const taskIn = (text: string): Task => JSON.parse(text) as Task

const tasksIn = async (texts: AsyncIterable<string>): Promise<Task[]> => {
  const tasks: Task[] = []
  for await (const text of texts) tasks.push(taskIn(text))
  return tasks
}

/** What comes of the work; or the signal's reason, and the work goes on. It does not begin where the signal says so already. */
const heeding = async <T>(signal: AbortSignal | undefined, begin: () => T | Promise<T>): Promise<T> => {
  if (signal === undefined) return begin()
  signal.throwIfAborted()
  const work = begin()
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
