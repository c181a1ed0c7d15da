/** What a daemon's client and a kernel in this process can both be asked for: code written for one runs with the other. */
import type { EventsOptions } from './events.ts'
import { GraphBuilder, type Steps, type TasksOf } from './graph.ts'
import type { Graph, GraphSpec, Status, Submitted, Task, TaskEvent, Waited, Why } from './types.ts'

export interface Signalled {
  signal?: AbortSignal | undefined
}

export interface SubmitOptions extends Signalled {
  /** The same key and graph, submitted again, is answered as before. A client makes one of its own where none is given. */
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

/** @see Execgo.cancel */
export interface CancelOptions extends Signalled {
  /** Between SIGTERM and SIGKILL. */
  graceMs?: number
}

/** What `run` came to. */
export interface Ran<Tasks> {
  graphId: string
  /** Whether every task succeeded. */
  ok: boolean
  tasks: Tasks
}

/** A graph to be submitted, written out or put together step by step. */
export type AnyGraph = GraphSpec | GraphBuilder<Steps>

/** Tasks by their ids, or all of a graph. */
export type WaitedFor = readonly string[] | { readonly graphId: string }

/** Every call takes an `AbortSignal` and rejects with its reason; `events` ends with it. */
export interface Execgo {
  readonly graphs: ExecgoGraphs
  /** Resolves when the graph is kept, and will run. */
  submit(graph: AnyGraph, options?: SubmitOptions): Promise<Submitted>
  /** Submits a graph and waits for its end. Whether its tasks succeeded is for you to look at: `ok`. */
  run<S extends Steps>(graph: GraphBuilder<S>, options?: SubmitOptions): Promise<Ran<TasksOf<S>>>
  run(graph: GraphSpec, options?: SubmitOptions): Promise<Ran<Record<string, Task>>>
  get<Result = unknown>(id: string, options?: Signalled): Promise<Task<Result>>
  /** Whether there is a task of this id. */
  has(id: string, options?: Signalled): Promise<boolean>
  /** Why a task is not over, or how it ended. */
  why(id: string, options?: Signalled): Promise<Why>
  /** One by one, read in pages. */
  list(options?: ListOptions): AsyncGenerator<Task, void>
  /** Waits for tasks, or for a graph. `done` is false where the time was over first. */
  wait(what: WaitedFor, options?: WaitOptions): Promise<Waited>
  /** Stops a task. It need not be over yet when this resolves. */
  cancel(id: string, options?: CancelOptions): Promise<Task>
  /** Removes the record of a task; what runs goes on. */
  delete(id: string, options?: Signalled): Promise<void>
  /**
   * What happens to tasks, each event once and in order.
   * @throws GoneError where the history does not reach back to the last event that was seen
   */
  events(options?: EventsOptions): AsyncGenerator<TaskEvent, void>
  health(options?: Signalled): Promise<{ status: 'ok'; version: string; uptime: string }>
}

export interface ExecgoGraphs {
  get(graphId: string, options?: Signalled): Promise<Graph>
  /** Newest first. */
  list(options?: Signalled): AsyncGenerator<Graph, void>
  /** Stops every task of it that is not over. */
  cancel(graphId: string, options?: CancelOptions): Promise<Graph>
  /** Runs again what failed or was skipped. */
  retry(graphId: string, options?: Signalled): Promise<Graph>
  /** Removes the records of a graph that is over. */
  delete(graphId: string, options?: Signalled): Promise<void>
}

/** One wait takes as many ids. */
const MOST_IDS = 10_000

export const specOf = (graph: AnyGraph): GraphSpec => (graph instanceof GraphBuilder ? graph.spec : graph)

export const runGraph = async (
  execgo: Pick<Execgo, 'submit' | 'wait'>,
  graph: AnyGraph,
  options: SubmitOptions,
): Promise<Ran<Record<string, Task>>> => {
  const { graph_id: graphId, task_ids: ids, accepted } = await execgo.submit(graph, options)
  // Where all are new, the graph stands for them, however many they are.
  const isWhole = graphId !== undefined && accepted === ids.length
  const parts: WaitedFor[] = isWhole ? [{ graphId }] : []
  for (let at = 0; !isWhole && at < ids.length; at += MOST_IDS) parts.push(ids.slice(at, at + MOST_IDS))
  // At once: not all that are over need be kept for long.
  const waits = await Promise.all(parts.map((part) => execgo.wait(part, { signal: options.signal })))
  const tasks = waits.flatMap((waited) => waited.tasks)
  return {
    graphId: graphId ?? '',
    // One that was removed meanwhile is not among them.
    ok: tasks.length === ids.length && tasks.every(({ status }) => status === 'success'),
    tasks: Object.fromEntries(tasks.map((task) => [task.id, task])),
  }
}
