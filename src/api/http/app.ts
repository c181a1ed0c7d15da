/**
 * The HTTP routes. Each reads its request, asks the service, and answers.
 * @see contract A2
 */
import { Hono } from 'hono'
import { type Result, ok, refused } from '../../domain/errors.ts'
import { McpCallSchema, parse, parseGraph, parseJson } from '../schemas.ts'
import type { Service } from '../service.ts'
import { readBody } from './body.ts'
import { listStream } from './list-stream.ts'
import { type Bindings, type HttpContext, reply, replyProblem } from './reply.ts'

export interface AppOptions {
  readonly service: Service
  /** Told of a fault of our own. */
  readonly onFault: (error: unknown, traceId: string) => void
}

type Handler = (c: HttpContext) => Promise<Response> | Response

export const createApp = ({ service, onFault }: AppOptions): Hono<{ Bindings: Bindings }> => {
  const app = new Hono<{ Bindings: Bindings }>()

  const submit: Handler = async (c) => {
    const value = await jsonBody(c, service.limits.bodyBytes)
    const tasks = value.ok ? parseGraph(value.value) : value
    return answer(c, 202, tasks.ok ? await service.submit(tasks.value) : tasks, JSON.stringify)
  }

  const mcpCall: Handler = async (c) => {
    const value = await jsonBody(c, service.limits.bodyBytes)
    const call = value.ok ? parse(McpCallSchema, value.value ?? {}) : value
    if (!call.ok) return replyProblem(c, call.problem)
    const { id, tool_name, input, timeout } = call.value
    const called = await service.mcpCall({
      id: id ?? '',
      toolName: tool_name ?? '',
      inputJson: input == null ? '' : JSON.stringify(input),
      timeoutMs: Math.max(0, timeout ?? 0),
    })
    return answer(c, 202, called, asIs)
  }

  const routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    '/tasks': { POST: submit, GET: (c) => reply(c, 200, listStream(service.list())) },
    '/tasks/:id': {
      GET: withId('/tasks/', async (c, id) => answer(c, 200, await service.get(id), asIs)),
      DELETE: withId('/tasks/', async (c, id) => {
        const removed = await service.remove(id)
        return removed.ok ? reply(c, 204, null) : replyProblem(c, removed.problem)
      }),
    },
    '/health': { GET: (c) => reply(c, 200, JSON.stringify(service.health())) },
    '/metrics': { GET: (c) => reply(c, 200, JSON.stringify(service.metrics())) },
    '/mcp/tools': { GET: (c) => reply(c, 200, JSON.stringify({ tools: service.mcpTools() })) },
    '/mcp/call': { POST: mcpCall },
    '/mcp/tasks/:id': {
      GET: withId('/mcp/tasks/', async (c, id) => answer(c, 200, await service.mcpTask(id), asIs)),
    },
  }
  for (const [path, handlers] of Object.entries(routes)) {
    for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler)
    app.all(path, methodNotAllowed(Object.keys(handlers)))
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

const asIs = (json: string): string => json

const answer = <T>(
  c: HttpContext,
  status: number,
  result: Result<T>,
  toJson: (value: T) => string,
): Response => (result.ok ? reply(c, status, toJson(result.value)) : replyProblem(c, result.problem))

const jsonBody = async (c: HttpContext, limitBytes: number): Promise<Result<unknown>> => {
  const body = await readBody(c.env.incoming, limitBytes)
  return body.ok ? parseJson(body.value) : body
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
  (prefix: string, handler: (c: HttpContext, id: string) => Promise<Response>): Handler =>
  (c) => {
    const id = idIn(c.env.rawUrl, prefix)
    return id.ok ? handler(c, id.value) : replyProblem(c, id.problem)
  }

const idIn = (url: string, prefix: string): Result<string> => {
  const query = url.indexOf('?')
  const raw = url.slice(prefix.length, query < 0 ? url.length : query)
  if (!raw.includes('%')) return ok(raw)
  try {
    return ok(decodeURIComponent(raw))
  } catch {
    return refused('invalid', `the path is not percent-encoded UTF-8: ${raw}`)
  }
}
