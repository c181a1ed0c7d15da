/** The routes of waiting: `?wait=`, `POST /tasks/wait` and `GET /events`. @see contract B3 */
import type { ServerResponse } from 'node:http'
import { type Result, ok } from '../../domain/errors.ts'
import type { GraphView } from '../graph-view.ts'
import { parseJson } from '../schemas.ts'
import type { Service } from '../service.ts'
import { parseWait, waitIn } from '../wait-query.ts'
import { readBody } from './body.ts'
import { eventStream } from './event-stream.ts'
import { textOf } from './header.ts'
import { listStream } from './list-stream.ts'
import { type HttpContext, reply, replyProblem } from './reply.ts'

/** Aborted when the client goes away before it is answered. */
export const goneOf = (outgoing: ServerResponse): AbortSignal => {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  return gone.signal
}

/** A task, now or when it is over. */
export const getTask = async (c: HttpContext, service: Service, id: string): Promise<Response> => {
  const wait = waitOf(c)
  const { waiting } = service.watchers
  return !wait.ok
    ? replyProblem(c, wait.problem)
    : taskAnswer(c, service, id, await waiting.task(id, wait.value, goneOf(c.env.outgoing)))
}

/** @returns the answer, with a hint of when to ask again where the task is not over */
export const taskAnswer = (
  c: HttpContext,
  service: Service,
  id: string,
  task: Result<string>,
  status = 200,
): Response => {
  if (!task.ok) return replyProblem(c, task.problem)
  return askAgain(reply(c, status, task.value), service.watchers.retryAfterS(id))
}

/** As {@link taskAnswer}, of the state of an `mcp` task. */
export const callAnswer = (
  c: HttpContext,
  service: Service,
  call: Result<string>,
  status: number,
): Response => {
  const id = call.ok ? (JSON.parse(call.value) as { readonly task_id: string }).task_id : ''
  return taskAnswer(c, service, id, call, status)
}

export const getGraph = async (c: HttpContext, service: Service, id: string): Promise<Response> => {
  const wait = c.req.query('wait') === undefined ? ok(0) : waitOf(c)
  if (!wait.ok) return replyProblem(c, wait.problem)
  const graph = await (wait.value === 0
    ? service.graph(id)
    : service.watchers.waiting.graph(id, wait.value, goneOf(c.env.outgoing)))
  return graphAnswer(c, service, graph)
}

/** As {@link taskAnswer}, of a graph. */
export const graphAnswer = async (
  c: HttpContext,
  service: Service,
  graph: Result<GraphView>,
  status = 200,
): Promise<Response> => {
  if (!graph.ok) return replyProblem(c, graph.problem)
  const response = reply(c, status, JSON.stringify(graph.value))
  const { graph_id: graphId, finished_at } = graph.value
  if (finished_at !== undefined) return response
  return askAgain(response, await service.watchers.retryAfterSOf({ taskIds: null, graphId, mode: 'all' }))
}

export const waitForTasks = async (c: HttpContext, service: Service): Promise<Response> => {
  const body = await readBody(c.env.incoming, service.limits.bodyBytes)
  const value = body.ok ? parseJson(body.value, service.limits.jsonDepth) : body
  const wanted = value.ok ? parseWait(value.value) : value
  if (!wanted.ok) return replyProblem(c, wanted.problem)
  const waited = await service.watchers.waiting.tasks(wanted.value, goneOf(c.env.outgoing))
  if (!waited.ok) return replyProblem(c, waited.problem)
  const { done, tasks } = waited.value
  const response = reply(c, 200, listStream(tasks, `{"done":${done},"tasks":[`, ']}'))
  return done ? response : askAgain(response, await service.watchers.retryAfterSOf(wanted.value))
}

/** @param seconds 0 for what is over */
const askAgain = (response: Response, seconds: number): Response => {
  if (seconds > 0) response.headers.set('Retry-After', String(seconds))
  return response
}

export const watch = (c: HttpContext, service: Service): Response => {
  const { req, env } = c
  const reader = service.watchers.events.open({
    taskId: req.query('task_id') ?? '',
    graphId: req.query('graph_id') ?? '',
    types: (req.query('type') ?? '').split(',').filter((type) => type !== ''),
    lastEventId: textOf(env.incoming.headers['last-event-id']) || (req.query('last_event_id') ?? ''),
  })
  if (!reader.ok) return replyProblem(c, reader.problem)
  return new Response(eventStream(reader.value, env.outgoing), {
    headers: {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Trace-Id': env.traceId,
    },
  })
}

const waitOf = (c: HttpContext): Result<number> => waitIn(c.req.query('wait') ?? '', 'wait')
