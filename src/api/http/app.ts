/**
 * The HTTP routes. Each reads its request, asks the service, and answers.
 * @see contract A2
 */
import { Hono } from 'hono'
import { METHODS } from 'node:http'
import { type Result, ok, refused } from '../../domain/errors.ts'
import type { Limits } from '../../domain/limits.ts'
import { graceIn } from '../grace.ts'
import { CancelSchema, parse, parseGraph, parseJson, parseMcpCall } from '../schemas.ts'
import { type Service, submittedJson } from '../service.ts'
import { readBody } from './body.ts'
import { replyDocs, replyDocsFile, replyOpenApi } from './docs.ts'
import { textOf } from './header.ts'
import { cursorIn, limitIn } from './queries.ts'
import type { McpEndpoint } from '../mcp-request.ts'
import { replyMcp } from './mcp.ts'
import { type MetricsText, formatOf, replyMetrics } from './prometheus.ts'
import { type Bindings, type HttpContext, reply, replyProblem } from './reply.ts'
import { traceparentOf } from './trace.ts'
import { taskList } from './task-list.ts'
import {
  callAnswer,
  getGraph,
  getTask,
  graphAnswer,
  taskAnswer,
  waitForTasks,
  watch,
} from './waiting-routes.ts'

export interface AppOptions {
  readonly service: Service
  /** Without one, metrics are JSON only. */
  readonly metricsText?: MetricsText
  /** Without it there is no `/mcp`. */
  readonly mcp?: McpEndpoint
  /** Told of a fault of our own. */
  readonly onFault: (error: unknown, traceId: string) => void
}

interface CalledTask {
  readonly task_id: string
}

type Handler = (c: HttpContext) => Promise<Response> | Response

export const createApp = ({
  service,
  metricsText,
  mcp,
  onFault,
}: AppOptions): Hono<{ Bindings: Bindings }> => {
  const app = new Hono<{ Bindings: Bindings }>()

  const submit: Handler = async (c) => {
    const body = await readBody(c.env.incoming, service.limits.bodyBytes)
    const value = body.ok ? parseJson(body.value, service.limits.jsonDepth) : body
    const graph = value.ok ? parseGraph(value.value, service.limits) : value
    if (!graph.ok) return replyProblem(c, graph.problem)
    const key = textOf(c.env.incoming.headers['idempotency-key'])
    const submitted = await service.submit(
      graph.value,
      key === '' ? undefined : { key, body: body.ok ? body.value : '' },
      traceparentOf(c.env.incoming),
    )
    if (submitted.ok) c.env.accepted = submitted.value.answer
    const response = answer(c, 202, submitted, ({ answer: first }) => submittedJson(first))
    if (submitted.ok && submitted.value.isReplayed) response.headers.set('Idempotent-Replayed', 'true')
    return response
  }

  /** The grace that a cancel asks for, in its body or its query; undefined for the daemon's own. */
  const grace = async (c: HttpContext): Promise<Result<number | undefined>> => {
    const body = await readBody(c.env.incoming, service.limits.bodyBytes)
    if (!body.ok) return body
    const value = body.value.trim() === '' ? ok(null) : parseJson(body.value, service.limits.jsonDepth)
    const cancel = value.ok ? parse(CancelSchema, value.value) : value
    return cancel.ok ? graceIn(c.req.query('grace_ms') ?? cancel.value?.grace_ms) : cancel
  }

  const cancel = async (c: HttpContext, id: string): Promise<Response> => {
    const graceMs = await grace(c)
    const cancelled = graceMs.ok ? await service.cancel(id, graceMs.value) : graceMs
    return taskAnswer(c, service, id, cancelled, 202)
  }

  const cancelGraph = async (c: HttpContext, id: string): Promise<Response> => {
    const graceMs = await grace(c)
    const cancelled = graceMs.ok ? await service.cancelGraph(id, graceMs.value) : graceMs
    return graphAnswer(c, service, cancelled, 202)
  }

  const listGraphs: Handler = async (c) => {
    const limit = limitIn(c.req.query('limit'))
    const graphs = limit.ok ? await service.graphs(limit.value, cursorIn(c.req.query('cursor'))) : limit
    return answer(c, 200, graphs, JSON.stringify)
  }

  const mcpCall: Handler = async (c) => {
    const value = await jsonBody(c, service.limits)
    const call = value.ok ? parseMcpCall(value.value) : value
    const called = call.ok ? await service.mcpCall(call.value, traceparentOf(c.env.incoming)) : call
    if (called.ok)
      c.env.accepted = { accepted: 1, task_ids: [(JSON.parse(called.value) as CalledTask).task_id] }
    return callAnswer(c, service, called, 202)
  }

  const metrics: Handler = (c) => {
    const format = metricsText === undefined ? null : formatOf(textOf(c.env.incoming.headers.accept))
    return format === null
      ? reply(c, 200, JSON.stringify(service.metrics()))
      : replyMetrics(c, metricsText!, format)
  }

  const routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    '/tasks': { POST: submit, GET: taskList(service) },
    '/tasks/:id': {
      GET: withId('/tasks/', (c, id) => {
        if (c.env.rawUrl.includes('?') && c.req.query('wait') !== undefined) return getTask(c, service, id)
        const found = service.get(id)
        return found instanceof Promise
          ? found.then((task) => taskAnswer(c, service, id, task))
          : taskAnswer(c, service, id, found)
      }),
      DELETE: withId('/tasks/', async (c, id) => {
        const removed = await service.remove(id)
        return removed.ok ? reply(c, 204, null) : replyProblem(c, removed.problem)
      }),
    },
    '/tasks/:id/cancel': { POST: withId('/tasks/', cancel, '/cancel') },
    '/tasks/:id/why': {
      GET: withId('/tasks/', async (c, id) => answer(c, 200, await service.why(id), JSON.stringify), '/why'),
    },
    '/graphs': { GET: listGraphs },
    '/graphs/:id': {
      GET: withId('/graphs/', (c, id) => getGraph(c, service, id)),
      DELETE: withId('/graphs/', async (c, id) => {
        const removed = await service.removeGraph(id)
        return removed.ok ? reply(c, 204, null) : replyProblem(c, removed.problem)
      }),
    },
    '/graphs/:id/cancel': { POST: withId('/graphs/', cancelGraph, '/cancel') },
    '/graphs/:id/retry': {
      POST: withId(
        '/graphs/',
        async (c, id) => graphAnswer(c, service, await service.retryGraph(id), 202),
        '/retry',
      ),
    },
    '/events': { GET: (c) => watch(c, service) },
    '/health': { GET: (c) => reply(c, 200, JSON.stringify(service.health())) },
    '/metrics': { GET: metrics },
    ...(metricsText === undefined
      ? {}
      : {
          '/metrics/prometheus': {
            GET: (c: HttpContext) =>
              replyMetrics(c, metricsText, formatOf(textOf(c.env.incoming.headers.accept)) ?? 'prometheus'),
          },
        }),
    '/openapi.json': { GET: (c) => replyOpenApi(c, service.health().version.slice(1)) },
    '/docs': { GET: replyDocs },
    '/docs/:id': { GET: withId('/docs/', replyDocsFile) },
    ...(mcp === undefined
      ? {}
      : { '/mcp': { POST: (c: HttpContext) => replyMcp(c, service.limits, mcp, onFault) } }),
    '/mcp/tools': { GET: async (c) => reply(c, 200, JSON.stringify({ tools: await service.mcpTools() })) },
    '/mcp/call': { POST: mcpCall },
    '/mcp/tasks/:id': {
      GET: withId('/mcp/tasks/', async (c, id) => callAnswer(c, service, await service.mcpTask(id), 200)),
    },
  }
  for (const [path, handlers] of Object.entries(routes)) {
    for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler)
    // Not app.all(): Hono makes a middleware chain for each request that two handlers could take.
    const others = METHODS.filter((method) => handlers[method] === undefined)
    const refuse = methodNotAllowed(Object.keys(handlers))
    if (path !== '/tasks/:id') app.on(others, path, refuse)
    else {
      // `POST /tasks/wait` is no task. A path of its own would take Hono's quick router away from all of them.
      const refuseWait = methodNotAllowed([...Object.keys(handlers), 'POST'])
      const wait: Handler = (c) => (c.req.method === 'POST' ? waitForTasks(c, service) : refuseWait(c))
      app.on(
        others,
        path,
        withId('/tasks/', (c, id) => (id === 'wait' ? wait(c) : refuse(c))),
      )
    }
  }
  app.notFound((c) =>
    replyProblem(c, { code: 'not_found', message: `no such route: ${c.req.method} ${c.req.path}` }),
  )
  app.onError((error, c) => {
    onFault(error, c.env.traceId)
    return replyProblem(c, {
      code: 'internal',
      message: `internal error (trace id ${c.env.traceId} is in the log)`,
    })
  })
  return app
}

const answer = <T>(
  c: HttpContext,
  status: number,
  result: Result<T>,
  toJson: (value: T) => string,
): Response => (result.ok ? reply(c, status, toJson(result.value)) : replyProblem(c, result.problem))

const jsonBody = async (c: HttpContext, { bodyBytes, jsonDepth }: Limits): Promise<Result<unknown>> => {
  const body = await readBody(c.env.incoming, bodyBytes)
  return body.ok ? parseJson(body.value, jsonDepth) : body
}

const methodNotAllowed =
  (methods: readonly string[]): Handler =>
  (c) => {
    const allowed = methods.includes('GET') ? [...methods, 'HEAD'] : methods
    const response = replyProblem(c, {
      code: 'method_not_allowed',
      message: `method ${c.req.method} is not allowed here (allowed: ${allowed.join(', ')})`,
    })
    response.headers.set('Allow', allowed.join(', '))
    return response
  }

/** Takes the id out of the raw path: it may hold any character, percent-encoded. */
const withId =
  (
    prefix: string,
    handler: (c: HttpContext, id: string) => Promise<Response> | Response,
    suffix = '',
  ): Handler =>
  (c) => {
    const id = idIn(c.env.rawUrl, prefix, suffix)
    return id.ok ? handler(c, id.value) : replyProblem(c, id.problem)
  }

const idIn = (url: string, prefix: string, suffix: string): Result<string> => {
  const query = url.indexOf('?')
  const raw = url.slice(prefix.length, (query < 0 ? url.length : query) - suffix.length)
  if (!raw.includes('%')) return ok(raw)
  try {
    return ok(decodeURIComponent(raw))
  } catch {
    return refused('invalid', `the path is not percent-encoded UTF-8: ${raw}`)
  }
}
