/** The tools over the service: in the daemon. */
import { type Result, ok } from '../../domain/errors.ts'
import type { GraphView } from '../graph-view.ts'
import { parseGraph } from '../schemas.ts'
import type { Service } from '../service.ts'
import type { AskedPage } from '../task-page.ts'
import type { WaitFor } from '../waiting.ts'
import type { Accepted, Backend, SubmitOptions, TaskObject, TaskPage } from './backend.ts'

export class ServiceBackend implements Backend {
  readonly #service: Service

  constructor(service: Service) {
    this.#service = service
  }

  get isStopping(): boolean {
    return this.#service.watchers.waiting.isStopped
  }

  async submit(graph: unknown, { idempotencyKey, traceparent }: SubmitOptions): Promise<Result<Accepted>> {
    const parsed = parseGraph(graph, this.#service.limits)
    if (!parsed.ok) return parsed
    const named = idempotencyKey === '' ? undefined : { key: idempotencyKey, body: JSON.stringify(graph) }
    const submitted = await this.#service.submit(parsed.value, named, traceparent)
    return submitted.ok ? ok(submitted.value.answer) : submitted
  }

  async task(id: string): Promise<Result<TaskObject>> {
    return parsedTask(await this.#service.get(id))
  }

  graph(id: string, withinMs: number, signal: AbortSignal): Promise<Result<GraphView>> {
    return withinMs > 0 ? this.#service.watchers.waiting.graph(id, withinMs, signal) : this.#service.graph(id)
  }

  async wait(wanted: WaitFor, signal: AbortSignal): Promise<Result<boolean>> {
    // The tasks are texts that nobody has read yet: nothing is lost by leaving them.
    const waited = await this.#service.watchers.waiting.tasks(wanted, signal)
    return waited.ok ? ok(waited.value.done) : waited
  }

  async page(asked: AskedPage): Promise<Result<TaskPage>> {
    const page = await this.#service.page(asked)
    if (!page.ok) return page
    const tasks = page.value.tasks.map((json) => JSON.parse(json) as TaskObject)
    return ok({ tasks, nextCursor: page.value.nextCursor })
  }

  async cancelTask(id: string, graceMs?: number): Promise<Result<TaskObject>> {
    return parsedTask(await this.#service.cancel(id, graceMs))
  }

  cancelGraph(id: string, graceMs?: number): Promise<Result<GraphView>> {
    return this.#service.cancelGraph(id, graceMs)
  }
}

const parsedTask = (json: Result<string>): Result<TaskObject> =>
  json.ok ? ok(JSON.parse(json.value) as TaskObject) : json
