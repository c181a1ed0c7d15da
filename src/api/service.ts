/**
 * What an edge may ask for. HTTP, gRPC and MCP go through here, so that each says the same.
 * Tasks are answered as the JSON text that `GET /tasks/{id}` shows.
 */
import { type Result, ok, refused, taskNotFound } from '../domain/errors.ts'
import { planGraph } from '../domain/graph.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Limits } from '../domain/limits.ts'
import type { Progress, SubmittedTask, Task } from '../domain/task.ts'
import { progressJson } from '../domain/task-json.ts'
import { goDuration, rfc3339 } from '../domain/time.ts'
import type { Metrics } from '../scheduler/counters.ts'
import type { StoreReader } from '../store/store.ts'

/** What the service needs of the scheduler. */
export interface Commands {
  submit(plan: import('../domain/graph.ts').GraphPlan): Promise<Result<readonly Task[]>>
  remove(id: string): Promise<boolean>
  metrics(): Metrics
}

export interface ServiceOptions {
  readonly commands: Commands
  readonly reader: StoreReader
  readonly limits: Limits
  /** Without the `v`. */
  readonly version: string
  readonly nowMs: () => number
}

export interface Accepted {
  readonly accepted: number
  readonly task_ids: readonly string[]
}

export interface Health {
  readonly status: 'ok'
  readonly version: string
  /** In Go's format. */
  readonly uptime: string
}

export interface McpCall {
  readonly id: string
  readonly toolName: string
  readonly inputJson: string
  readonly timeoutMs: number
}

export class Service {
  readonly #options: ServiceOptions
  readonly #startedMs: number

  constructor(options: ServiceOptions) {
    this.#options = options
    this.#startedMs = options.nowMs()
  }

  get limits(): Limits {
    return this.#options.limits
  }

  /** Accepts a graph, or says what is wrong with it; then nothing of it is kept. */
  async submit(tasks: readonly SubmittedTask[]): Promise<Result<Accepted>> {
    const submitted = await this.#submit(tasks)
    if (!submitted.ok) return submitted
    const ids = submitted.value.map((task) => task.id)
    return ok({ accepted: ids.length, task_ids: ids })
  }

  /** The task's JSON text. */
  async get(id: string): Promise<Result<string>> {
    const json = await this.#options.reader.get(id)
    return json === null ? taskNotFound(id) : ok(json)
  }

  /** The JSON text of every task, in pieces. */
  list(): AsyncIterable<string> {
    return this.#options.reader.list()
  }

  /** Removes the record only: what is under way goes on. */
  async remove(id: string): Promise<Result<true>> {
    return (await this.#options.commands.remove(id)) ? ok(true) : taskNotFound(id)
  }

  health(): Health {
    const uptimeMs = this.#options.nowMs() - this.#startedMs
    return { status: 'ok', version: `v${this.#options.version}`, uptime: goDuration(uptimeMs) }
  }

  metrics(): Metrics {
    return this.#options.commands.metrics()
  }

  /** The tools that `mcp` tasks can name. */
  mcpTools(): readonly JsonObject[] {
    return [
      {
        name: 'mcp.execute',
        category: 'mcp',
        description: 'Execute MCP task and return handle',
        input_schema: { type: 'object' },
      },
    ]
  }

  /** Runs one `mcp` task; answers its state at that moment. Without an id it gets its handle for one. */
  async mcpCall(call: McpCall): Promise<Result<string>> {
    const submitted = await this.#submit([
      {
        id: call.id || `mcp-call-${crypto.randomUUID()}`,
        type: 'mcp',
        paramsJson: '',
        inputJson: call.inputJson,
        annotationsJson: '',
        dependsOn: [],
        retry: 0,
        timeoutMs: call.timeoutMs,
        toolName: call.toolName,
      },
    ])
    if (!submitted.ok) return submitted
    const task = submitted.value[0]!
    return ok(acceptedCallJson(task.id, task.handleId, task.createdMs, task.progress.slice(0, 1)))
  }

  /** The state of the `mcp` task behind a handle. */
  async mcpTask(handleId: string): Promise<Result<string>> {
    const json = await this.#options.reader.getByHandle(handleId)
    return json === null
      ? refused('not_found', `handle not found: ${handleId}`)
      : ok(callStateJson(handleId, json))
  }

  async #submit(tasks: readonly SubmittedTask[]): Promise<Result<readonly Task[]>> {
    const plan = planGraph(tasks, this.#options.limits)
    return plan.ok ? this.#options.commands.submit(plan.value) : plan
  }
}

const acceptedCallJson = (
  id: string,
  handleId: string,
  atMs: number,
  progress: readonly Progress[],
): string =>
  `{"task_id":${JSON.stringify(id)},"status":"accepted","handle_id":"${handleId}","progress":${progressJson(progress)},"started_at":"${rfc3339(atMs)}"}`

/** A task's text in the shape of `GET /mcp/tasks/{handle}`. */
const callStateJson = (handleId: string, json: string): string => {
  const task = JSON.parse(json) as JsonObject
  const runtime = (task['runtime'] ?? {}) as JsonObject
  return JSON.stringify({
    task_id: task['id'],
    status: runtime['status'] ?? 'accepted',
    handle_id: handleId,
    output: runtime['output'] ?? undefined,
    details: runtime['details'] ?? undefined,
    progress: task['progress'],
    started_at: runtime['started_at'] ?? task['created_at'],
    finished_at: runtime['finished_at'],
    duration_ms: runtime['duration_ms'],
    attempt: runtime['attempt'],
    error: runtime['error'],
  })
}
