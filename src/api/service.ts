/**
 * What an edge may ask for. HTTP, gRPC and MCP go through here, so that each says the same.
 * Tasks are answered as the JSON text that `GET /tasks/{id}` shows.
 */
import { createHash } from 'node:crypto'
import { type Result, graphNotFound, ok, refused, taskNotFound } from '../domain/errors.ts'
import { planGraph } from '../domain/graph.ts'
import { type Graph, graphIdOf, keyOfGraphId } from '../domain/graph-record.ts'
import { type JsonObject, textJson } from '../domain/json.ts'
import type { Limits } from '../domain/limits.ts'
import { DEFAULT_PRIORITY } from '../domain/task.ts'
import { goDuration } from '../domain/time.ts'
import type { Metrics } from '../scheduler/counters.ts'
import type { Accepted, Submission } from '../scheduler/submit.ts'
import type { Durability, StoreReader } from '../store/store.ts'
import { MCP_EXECUTE, acceptedCallJson, callStateJson } from './call-json.ts'
import { type GraphView, graphView } from './graph-view.ts'
import type { McpCall, SubmittedGraph } from './schemas.ts'
import { type WhyAnswer, type WhyUnfinished, whyTask } from './why.ts'
import { type AskedPage, type ListPage, pageFor } from './task-page.ts'
import { type WatchedStore, Watchers } from './watchers.ts'

/** What the service needs of the scheduler. */
interface Commands extends WhyUnfinished {
  submit(submission: Submission): Promise<Result<Accepted>>
  remove(id: string): Promise<Result<true>>
  cancel(id: string, graceMs?: number): Promise<Result<true>>
  cancelGraph(key: number, graceMs?: number): Promise<Result<Graph>>
  retryGraph(key: number): Promise<Result<Graph>>
  removeGraph(key: number): Promise<Result<Graph>>
  metrics(): Metrics
}

export interface ServiceOptions {
  readonly commands: Commands
  readonly reader: StoreReader & WatchedStore
  readonly limits: Limits
  /** Without the `v`. */
  readonly version: string
  readonly nowMs: () => number
  /** What MCP servers offer by now; none without it. */
  readonly mcpServerTools?: () => Promise<readonly JsonObject[]>
  /** For submissions that name none; `sync` by default. */
  readonly durability?: Durability
}

/** The answer to a submission. */
export interface Submitted {
  readonly accepted: number
  readonly task_ids: readonly string[]
  /** Absent where nothing new was in it. */
  readonly graph_id?: string
}

/** Names a submission, so that it can come again. */
export interface Idempotency {
  readonly key: string
  /** What must be the same when it comes again. */
  readonly body: string
}

/** Its JSON, put together without looking at what it is made of. */
export const submittedJson = ({ accepted, task_ids: ids, graph_id: graphId }: Submitted): string =>
  `{"accepted":${accepted},"task_ids":${ids.length === 1 ? `[${textJson(ids[0]!)}]` : JSON.stringify(ids)}${
    graphId === undefined ? '' : `,"graph_id":"${graphId}"`
  }}`

export interface SubmitResult {
  readonly answer: Submitted
  /** It is the answer to an earlier submission. */
  readonly isReplayed: boolean
}

const MAX_KEY_BYTES = 255

export interface Health {
  readonly status: 'ok'
  readonly version: string
  /** In Go's format. */
  readonly uptime: string
}

export class Service {
  readonly #options: ServiceOptions
  readonly #startedMs: number
  /** Who waits for tasks, and who watches them. */
  readonly watchers: Watchers
  /** Submissions with an idempotency key that are not answered yet. */
  readonly #named = new Map<string, Promise<unknown>>()

  constructor(options: ServiceOptions) {
    this.#options = options
    this.#startedMs = options.nowMs()
    this.watchers = new Watchers(options.reader)
  }

  get limits(): Limits {
    return this.#options.limits
  }

  /** Accepts a graph, or says what is wrong with it; then nothing of it is kept. */
  async submit(
    graph: SubmittedGraph,
    idempotency?: Idempotency,
    traceparent = '',
  ): Promise<Result<SubmitResult>> {
    if (idempotency !== undefined) return this.#submitOnce(graph, idempotency, traceparent)
    const accepted = await this.#submit(graph, traceparent)
    return accepted.ok ? ok({ answer: answerOf(graph, accepted.value), isReplayed: false }) : accepted
  }

  /** The first of a name is submitted; those that come meanwhile wait for it. */
  async #submitOnce(
    graph: SubmittedGraph,
    { key, body }: Idempotency,
    traceparent: string,
  ): Promise<Result<SubmitResult>> {
    if (Buffer.byteLength(key) > MAX_KEY_BYTES)
      return refused('invalid', `the idempotency key is longer than ${MAX_KEY_BYTES} bytes`)
    const bodyHash = createHash('sha256').update(body).digest('base64url')
    while (this.#named.has(key)) await this.#named.get(key)
    const result = this.#submitNamed(graph, key, bodyHash, traceparent)
    this.#named.set(
      key,
      result.catch(() => {}),
    )
    try {
      return await result
    } finally {
      this.#named.delete(key)
    }
  }

  async #submitNamed(
    graph: SubmittedGraph,
    key: string,
    bodyHash: string,
    traceparent: string,
  ): Promise<Result<SubmitResult>> {
    const first = await this.#options.reader.firstAnswer(key)
    if (first !== null) {
      return first.bodyHash === bodyHash
        ? ok({ answer: JSON.parse(first.answer) as Submitted, isReplayed: true })
        : refused('mismatch', `idempotency key ${JSON.stringify(key)} was used with another body`)
    }
    const accepted = await this.#submit(graph, traceparent, (value) => ({
      key,
      bodyHash,
      answer: submittedJson(answerOf(graph, value)),
      atMs: this.#options.nowMs(),
    }))
    return accepted.ok ? ok({ answer: answerOf(graph, accepted.value), isReplayed: false }) : accepted
  }

  /** The task's JSON text. */
  get(id: string): Result<string> | Promise<Result<string>> {
    const json = this.#options.reader.get(id)
    return json instanceof Promise ? json.then((found) => foundTask(id, found)) : foundTask(id, json)
  }

  /** What a task waits for, or why it ended as it did. */
  why(id: string): Promise<Result<WhyAnswer>> {
    return whyTask(id, this.#options.commands, this.#options.reader)
  }

  /** The JSON text of every task, in pieces. */
  list(): AsyncIterable<string> {
    return this.#options.reader.list()
  }

  /** A page of them. `names` are the wire's own. */
  page(asked: AskedPage, names?: Parameters<typeof pageFor>[2]): Promise<Result<ListPage>> {
    return pageFor(this.#options.reader, asked, names)
  }

  /** Removes the record only: what is under way goes on. */
  async remove(id: string): Promise<Result<true>> {
    const removed = await this.#options.commands.remove(id)
    if (removed.ok) this.watchers.waiting.onRemoved(id)
    return removed
  }

  /** Stops a task; answers it as it is then. `graceMs` lies between SIGTERM and SIGKILL. */
  async cancel(id: string, graceMs?: number): Promise<Result<string>> {
    const cancelled = await this.#options.commands.cancel(id, graceMs)
    return cancelled.ok ? this.get(id) : cancelled
  }

  async graph(id: string): Promise<Result<GraphView>> {
    const graph = await this.#options.reader.graph(keyOfGraphId(id))
    return graph === null ? graphNotFound(id) : ok(graphView(graph))
  }

  /** Newest first, after the graph that `cursor` names. */
  async graphs(
    limit: number,
    cursor: string,
  ): Promise<Result<{ readonly graphs: readonly GraphView[]; readonly next_cursor: string | null }>> {
    const beforeKey = cursor === '' ? Number.MAX_SAFE_INTEGER : keyOfGraphId(cursor)
    if (beforeKey < 0) return refused('invalid', `cursor cannot be read: ${JSON.stringify(cursor)}`)
    const found = await this.#options.reader.graphs(beforeKey, limit + 1)
    const graphs = found.slice(0, limit).map(graphView)
    return ok({ graphs, next_cursor: found.length > limit ? graphs.at(-1)!.graph_id : null })
  }

  cancelGraph(id: string, graceMs?: number): Promise<Result<GraphView>> {
    return this.#changed(id, (key) => this.#options.commands.cancelGraph(key, graceMs))
  }

  /** Runs again what failed or was skipped. */
  retryGraph(id: string): Promise<Result<GraphView>> {
    return this.#changed(id, (key) => this.#options.commands.retryGraph(key))
  }

  /** Removes the records of a graph that is over. */
  removeGraph(id: string): Promise<Result<GraphView>> {
    return this.#changed(id, (key) => this.#options.commands.removeGraph(key))
  }

  async #changed(id: string, change: (key: number) => Promise<Result<Graph>>): Promise<Result<GraphView>> {
    const key = keyOfGraphId(id)
    if (key < 0) return graphNotFound(id)
    const graph = await change(key)
    return graph.ok ? ok(graphView(graph.value)) : graph
  }

  health(): Health {
    const uptimeMs = this.#options.nowMs() - this.#startedMs
    return { status: 'ok', version: `v${this.#options.version}`, uptime: goDuration(uptimeMs) }
  }

  metrics(): Metrics {
    return this.#options.commands.metrics()
  }

  /** The tools that `mcp` tasks can name. */
  async mcpTools(): Promise<readonly JsonObject[]> {
    return [MCP_EXECUTE, ...((await this.#options.mcpServerTools?.()) ?? [])]
  }

  /** Runs one `mcp` task; answers its state at that moment. Without an id it gets a fresh one, `mcp-call-<uuid>`. */
  async mcpCall(call: McpCall, traceparent = ''): Promise<Result<string>> {
    const task = {
      id: call.id || `mcp-call-${crypto.randomUUID()}`,
      type: 'mcp',
      paramsJson: '',
      inputJson: call.inputJson,
      annotationsJson: '',
      dependsOn: [],
      retry: 0,
      timeoutMs: call.timeoutMs,
      toolName: call.toolName,
      priority: DEFAULT_PRIORITY,
      runAtMs: 0,
      delayMs: 0,
      allowFailure: false,
      runIf: 'success' as const,
    }
    const graph = { tasks: [task], onConflict: 'replace', durability: null } as const
    const submitted = await this.#submit(graph, traceparent)
    return submitted.ok ? this.#acceptedCall(submitted.value) : submitted
  }

  #acceptedCall({ tasks }: Accepted): Result<string> {
    const task = tasks[0]!
    return ok(acceptedCallJson(task.id, task.handleId, task.createdMs, task.progress.slice(0, 1)))
  }

  /** The state of the `mcp` task behind a handle. */
  async mcpTask(handleId: string): Promise<Result<string>> {
    const json = await this.#options.reader.getByHandle(handleId)
    return json === null
      ? refused('not_found', `handle not found: ${handleId}`)
      : ok(callStateJson(handleId, json))
  }

  #submit(
    graph: SubmittedGraph,
    traceparent: string,
    firstAnswer?: NonNullable<Submission['firstAnswer']>,
  ): Promise<Result<Accepted>> {
    const plan = planGraph(graph.tasks, this.#options.limits)
    if (!plan.ok) return Promise.resolve(plan)
    const isRelaxed = (graph.durability ?? this.#options.durability ?? 'sync') === 'relaxed'
    const submission = { plan: plan.value, onConflict: graph.onConflict, isRelaxed, traceparent }
    return this.#options.commands.submit(
      firstAnswer === undefined ? submission : { ...submission, firstAnswer },
    )
  }
}

const answerOf = ({ tasks }: SubmittedGraph, { graph, tasks: accepted }: Accepted): Submitted => {
  const ids = tasks.map((task) => task.id)
  return graph === null
    ? { accepted: accepted.length, task_ids: ids }
    : { accepted: accepted.length, task_ids: ids, graph_id: graphIdOf(graph.key) }
}

const foundTask = (id: string, json: string | null): Result<string> =>
  json === null ? taskNotFound(id) : ok(json)
