/**
 * What the tools need of a daemon. There are two: the service, in the daemon itself, and a client, for `execgo mcp`, which
 * stands beside it. A kernel of the same process can be a third one.
 */
import type { JsonObject } from '../../domain/json.ts'
import type { Result } from '../../domain/errors.ts'
import type { GraphView } from '../graph-view.ts'
import type { AskedPage } from '../task-page.ts'
import type { WaitFor } from '../waiting.ts'

export type { AskedPage, WaitFor }

/** A task as `GET /tasks/{id}` shows it. */
export type TaskObject = JsonObject & { readonly id: string; readonly status: string }

export interface Accepted {
  readonly accepted: number
  readonly task_ids: readonly string[]
  /** Absent where nothing new was in it. */
  readonly graph_id?: string
}

export interface SubmitOptions {
  /** `''` for none. */
  readonly idempotencyKey: string
  /** `''` for none. */
  readonly traceparent: string
}

export interface TaskPage {
  readonly tasks: readonly TaskObject[]
  /** `''` where nothing follows. */
  readonly nextCursor: string
}

/** Waits end with their signal too: they answer what is so then. */
export interface Backend {
  /** It ends what waits: to look again at once would be of no use. */
  readonly isStopping: boolean
  /** @param graph as `POST /tasks` takes it, not checked yet */
  submit(graph: unknown, options: SubmitOptions): Promise<Result<Accepted>>
  task(id: string): Promise<Result<TaskObject>>
  /** A graph, once it is over, or after `withinMs`. */
  graph(id: string, withinMs: number, signal: AbortSignal): Promise<Result<GraphView>>
  /** Whether what is waited for has come. */
  wait(wanted: WaitFor, signal: AbortSignal): Promise<Result<boolean>>
  page(asked: AskedPage): Promise<Result<TaskPage>>
  cancelTask(id: string, graceMs?: number): Promise<Result<TaskObject>>
  cancelGraph(id: string, graceMs?: number): Promise<Result<GraphView>>
}
