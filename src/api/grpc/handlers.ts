/**
 * The calls. Each turns its message into what the service takes, asks it, and answers.
 * @see contract A7
 */
import {
  Metadata,
  type ServerUnaryCall,
  type UntypedServiceImplementation,
  type handleUnaryCall,
} from '@grpc/grpc-js'
import { type Result, ok, refused } from '../../domain/errors.ts'
import { traceIdIn, traceparentIn } from '../../domain/trace-context.ts'
import { graceIn } from '../grace.ts'
import { parseGraph } from '../schemas.ts'
import type { GraphView } from '../graph-view.ts'
import type { Health, Service, Submitted } from '../service.ts'
import { newTraceId } from '../trace.ts'
import { gatherTasks } from './gather.ts'
import {
  type GraphMessage,
  type ListTasksMessage,
  type TaskGraphMessage,
  type TaskMessage,
  askedPage,
  graphMessage,
  graphValue,
  taskMessage,
} from './messages.ts'
import { statusOf, trailerOf } from './status.ts'
import {
  type Client,
  type WaitTasksMessage,
  type WatchCall,
  waitHint,
  waitTasks,
  watchTasks,
} from './watch.ts'

export interface HandlersOptions {
  readonly service: Service
  /** Told of a fault of our own. */
  readonly onFault: (error: unknown, traceId: string) => void
}

interface WithId {
  readonly id: string
}

interface WithGraphId {
  readonly graph_id: string
}

interface Grace {
  /** Absent: the daemon's own. */
  readonly grace_ms?: number
}

/** Of a list that is not asked for in pages. */
const MOST_MIB = 256

export const createHandlers = ({ service, onFault }: HandlersOptions): UntypedServiceImplementation => {
  const submit = async (
    message: TaskGraphMessage,
    call: Cancellable,
  ): Promise<Result<Submitted & { readonly replayed: boolean }>> => {
    const value = graphValue(message, service.limits.jsonDepth)
    const graph = value.ok ? parseGraph(value.value, service.limits) : value
    if (!graph.ok) return graph
    const key = message.idempotency_key
    const submitted = await service.submit(
      graph.value,
      key === '' ? undefined : { key, body: JSON.stringify(message) },
      traceparentOf(call.metadata),
    )
    return submitted.ok ? ok({ ...submitted.value.answer, replayed: submitted.value.isReplayed }) : submitted
  }

  const get = async ({ id }: WithId): Promise<Result<{ task: TaskMessage }>> => {
    if (id === '') return ID_REQUIRED
    const json = await service.get(id)
    return json.ok ? ok({ task: taskMessage(json.value) }) : json
  }

  const list = async (
    asked: ListTasksMessage,
    call: Cancellable,
  ): Promise<Result<{ tasks: TaskMessage[]; next_page_token: string }>> => {
    const page = askedPage(asked)
    if (page !== null) {
      const listed = await service.page(page, PAGE_NAMES)
      return listed.ok
        ? ok({ tasks: listed.value.tasks.map(taskMessage), next_page_token: listed.value.nextCursor })
        : listed
    }
    const tasks = await gatherTasks(service.list(), call, MOST_MIB, 'ask in pages: page_size')
    return tasks.ok ? ok({ tasks: tasks.value, next_page_token: '' }) : tasks
  }

  const remove = async ({ id }: WithId): Promise<Result<{ deleted: true }>> => {
    if (id === '') return ID_REQUIRED
    const removed = await service.remove(id)
    return removed.ok ? ok({ deleted: true }) : removed
  }

  const cancel = async ({ id, grace_ms }: WithId & Grace): Promise<Result<{ task: TaskMessage }>> => {
    if (id === '') return ID_REQUIRED
    const graceMs = graceIn(grace_ms)
    const json = graceMs.ok ? await service.cancel(id, graceMs.value) : graceMs
    return json.ok ? ok({ task: taskMessage(json.value) }) : json
  }

  const explain = async ({
    id,
  }: WithId): Promise<Result<{ reason: string; message: string; why_json: string }>> => {
    if (id === '') return ID_REQUIRED
    const why = await service.why(id)
    if (!why.ok) return why
    const { reason, message } = why.value
    return ok({ reason, message, why_json: JSON.stringify(why.value) })
  }

  const getGraph = async ({ graph_id }: WithGraphId) => withGraph(await service.graph(graph_id))

  const cancelGraph = async ({ graph_id, grace_ms }: WithGraphId & Grace) => {
    const graceMs = graceIn(grace_ms)
    return withGraph(graceMs.ok ? await service.cancelGraph(graph_id, graceMs.value) : graceMs)
  }

  const wait = (message: WaitTasksMessage, client: Client) => waitTasks(service, message, client)

  const { watchers } = service
  const taskHint = ({ id }: WithId) => watchers.retryAfterS(id)
  const graphHint = ({ graph_id: graphId }: WithGraphId, { graph }: { readonly graph: GraphMessage }) =>
    graph.finished_at_unix_ms > 0 ? 0 : watchers.retryAfterSOf({ taskIds: null, graphId, mode: 'all' })

  const health = async (): Promise<Result<Health>> => ok(service.health())
  const metrics = async () => ok(service.metrics())

  return {
    SubmitTasks: unary(submit, onFault),
    GetTask: unary(get, onFault, taskHint),
    ListTasks: unary(list, onFault),
    DeleteTask: unary(remove, onFault),
    CancelTask: unary(cancel, onFault, taskHint),
    ExplainTask: unary(explain, onFault),
    GetGraph: unary(getGraph, onFault, graphHint),
    CancelGraph: unary(cancelGraph, onFault, graphHint),
    WaitTasks: unary(wait, onFault, (message, answer) => waitHint(service, message, answer)),
    WatchTasks: watching(service, onFault),
    Health: unary(health, onFault),
    Metrics: unary(metrics, onFault),
  }
}

const withGraph = (graph: Result<GraphView>): Result<{ graph: GraphMessage }> =>
  graph.ok ? ok({ graph: graphMessage(graph.value) }) : graph

/** What a page's size and place are called here. */
const PAGE_NAMES = { limit: 'page_size', cursor: 'page_token' }

const ID_REQUIRED = refused('invalid', 'id is required')

type Cancellable = Pick<ServerUnaryCall<unknown, unknown>, 'cancelled' | 'metadata' | 'on'>

/**
 * A call as grpc-js wants it: a refusal becomes its status, a throw INTERNAL, and the trace id goes ahead of either.
 * @param retryAfterS the seconds for the trailer `retry-after`, 0 for none
 */
const unary =
  <Request, Response>(
    answer: (request: Request, call: Cancellable) => Promise<Result<Response>>,
    onFault: HandlersOptions['onFault'],
    retryAfterS: (request: Request, response: Response) => number | Promise<number> = () => 0,
  ): handleUnaryCall<Request, Response> =>
  (call, callback) => {
    const traceId = traceIdOf(call.metadata)
    call.sendMetadata(initialOf(traceId))
    const hinted = async (): Promise<void> => {
      const result = await answer(call.request, call)
      if (!result.ok) return callback(statusOf(result.problem))
      const seconds = await retryAfterS(call.request, result.value)
      callback(null, result.value, seconds > 0 ? trailerOf(seconds) : undefined)
    }
    hinted().catch((error: unknown) => {
      onFault(error, traceId)
      callback(faultOf(traceId))
    })
  }

const watching =
  (service: Service, onFault: HandlersOptions['onFault']) =>
  (call: WatchCall): void => {
    const traceId = traceIdOf(call.metadata)
    watchTasks(service, call, initialOf(traceId)).catch((error: unknown) => {
      onFault(error, traceId)
      call.emit('error', faultOf(traceId))
    })
  }

const initialOf = (traceId: string): Metadata => {
  const initial = new Metadata()
  initial.set(TRACE_KEY, traceId)
  return initial
}

const faultOf = (traceId: string) =>
  statusOf({ code: 'internal', message: `internal error (trace id ${traceId} is in the log)` })

const TRACE_KEY = 'x-trace-id'

const textIn = (metadata: Metadata, key: string): string => {
  const [given] = metadata.get(key)
  return typeof given === 'string' ? given : ''
}

/** The call's W3C trace context, `''` for none. */
const traceparentOf = (metadata: Metadata): string => traceparentIn(textIn(metadata, 'traceparent'))

/** The call's own `x-trace-id`, or the id of its trace, or a new one. */
const traceIdOf = (metadata: Metadata): string =>
  textIn(metadata, TRACE_KEY) || traceIdIn(traceparentOf(metadata)) || newTraceId()
