/**
 * The document of the HTTP API, OpenAPI 3.1, made of the schemas that check requests and of those of the answers.
 * A new route gets a line in {@link ROUTES}: a test compares them with those that there are.
 * @see contract B6
 */
import type * as v from 'valibot'
import type { JsonObject } from '../../domain/json.ts'
import { needOfRequest } from '../guard/scopes.ts'
import { CancelSchema, McpCallSchema, TaskGraphSchema, TaskSchema } from '../schemas.ts'
import { WaitSchema } from '../wait-query.ts'
import * as answers from './answers.ts'
import { jsonSchema } from './json-schema.ts'

const SCHEMAS: Readonly<Record<string, v.GenericSchema>> = {
  TaskGraph: TaskGraphSchema,
  SubmittedTask: TaskSchema,
  Cancel: CancelSchema,
  McpCall: McpCallSchema,
  Problem: answers.ProblemAnswer,
  Submitted: answers.SubmittedAnswer,
  Task: answers.TaskAnswer,
  Tasks: answers.TasksAnswer,
  Wait: WaitSchema,
  Waited: answers.WaitedAnswer,
  Why: answers.WhyAnswer,
  Graph: answers.GraphAnswer,
  Graphs: answers.GraphsAnswer,
  Health: answers.HealthAnswer,
  Metrics: answers.MetricsAnswer,
  McpTools: answers.McpToolsAnswer,
  McpTask: answers.McpTaskAnswer,
}

interface Route {
  /** What it does, and its status, and the name of the schema of its answer; `''` for an answer of no JSON. */
  readonly is: readonly [summary: string, status: number, answer: string]
  /** Its refusals, beside those that a body may get, and those of the guards. */
  readonly refuses: readonly number[]
  /** Media types of text that it also has, for who prefers them. */
  readonly also?: readonly string[]
  readonly body?: string
  readonly query?: readonly string[]
  readonly headers?: readonly string[]
}

const OPEN_METRICS = 'application/openmetrics-text'

const ROUTES: Readonly<Record<string, Route>> = {
  'POST /tasks': {
    is: ['Submits a graph of tasks. When this answers, it is kept.', 202, 'Submitted'],
    refuses: [400, 409, 422, 429, 503],
    body: 'TaskGraph',
    headers: ['Idempotency-Key', 'traceparent'],
  },
  'GET /tasks': {
    is: ['Every task, oldest first; with a query, a page of those that it asks for.', 200, 'Tasks'],
    refuses: [400],
    query: ['status', 'type', 'tool', 'graph_id', 'prefix', 'order', 'limit', 'cursor'],
  },
  'POST /tasks/wait': {
    is: ['Answers when all of the tasks, or any, are over, or when the time is.', 200, 'Waited'],
    refuses: [400, 404],
    body: 'Wait',
  },
  'GET /tasks/{id}': {
    is: ['A task; with `wait`, once it is over, or that time.', 200, 'Task'],
    refuses: [400, 404],
    query: ['wait'],
  },
  'DELETE /tasks/{id}': {
    is: ["Removes a task's record. What is under way goes on.", 204, ''],
    refuses: [400, 404, 503],
  },
  'POST /tasks/{id}/cancel': {
    is: ['Stops a task that is not over.', 202, 'Task'],
    refuses: [400, 404, 409, 503],
    body: 'Cancel',
    query: ['grace_ms'],
  },
  'GET /tasks/{id}/why': {
    is: ['What a task waits for, or why it ended as it did.', 200, 'Why'],
    refuses: [400, 404],
  },
  'GET /graphs': { is: ['Graphs, newest first.', 200, 'Graphs'], refuses: [400], query: ['limit', 'cursor'] },
  'GET /graphs/{id}': {
    is: ['How far a graph is; with `wait`, once it is over, or that time.', 200, 'Graph'],
    refuses: [400, 404],
    query: ['wait'],
  },
  'DELETE /graphs/{id}': {
    is: ['Removes the records of a graph that is over.', 204, ''],
    refuses: [400, 404, 409, 503],
  },
  'POST /graphs/{id}/cancel': {
    is: ['Stops all tasks of a graph that are not over.', 202, 'Graph'],
    refuses: [400, 404, 409, 503],
    body: 'Cancel',
    query: ['grace_ms'],
  },
  'POST /graphs/{id}/retry': {
    is: ['Runs again what failed or was skipped.', 202, 'Graph'],
    refuses: [400, 404, 409, 503],
  },
  'GET /events': {
    is: ['What happens to tasks, as it does: Server-Sent Events.', 200, 'text/event-stream'],
    refuses: [400, 404, 410, 503],
    query: ['task_id', 'graph_id', 'type', 'last_event_id'],
    headers: ['Last-Event-ID'],
  },
  'GET /health': { is: ['Whether the daemon answers.', 200, 'Health'], refuses: [] },
  'GET /metrics': {
    is: ['Counts since the start; for who prefers text, all metrics for Prometheus.', 200, 'Metrics'],
    refuses: [],
    also: ['text/plain', OPEN_METRICS],
  },
  'GET /metrics/prometheus': {
    is: ['All metrics for Prometheus.', 200, 'text/plain'],
    refuses: [],
    also: [OPEN_METRICS],
  },
  'GET /mcp/tools': { is: ['The tools that mcp tasks can name.', 200, 'McpTools'], refuses: [] },
  'POST /mcp/call': {
    is: ['Runs one mcp task.', 202, 'McpTask'],
    refuses: [400, 429, 503],
    body: 'McpCall',
  },
  'GET /mcp/tasks/{id}': {
    is: ['The state of the mcp task behind a handle.', 200, 'McpTask'],
    refuses: [400, 404],
  },
}

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'The request is wrong.',
  401: 'No token that is known, where the daemon asks for one.',
  403: 'The token lacks the scope, or a web page asks that may not.',
  404: 'There is none.',
  408: 'The body came too slowly.',
  409: 'Its state does not allow it.',
  410: 'The history does not reach back so far.',
  413: 'The body is too large.',
  422: 'The idempotency key was used with another body.',
  429: 'Full for now, or asked too often: see Retry-After.',
  503: 'Stopping, or the disk refuses.',
}

export const openApiDocument = (version: string): JsonObject => {
  const named = new Map(Object.entries(SCHEMAS).map(([name, schema]) => [schema, name]))
  const paths: Record<string, JsonObject> = {}
  for (const [name, route] of Object.entries(ROUTES)) {
    const [method = '', path = ''] = name.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(method, path, route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'execgo',
      version,
      description: 'Takes graphs of tasks, runs them on a bounded pool of worker threads, and loses none.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(SCHEMAS).map(([name, schema]) => [name, jsonSchema(schema, named, true)]),
      ),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Where EXECGO_AUTH_FILE is set.' },
      },
    },
  }
}

const operation = (
  method: string,
  path: string,
  { is, refuses, also, body, query, headers }: Route,
): JsonObject => {
  const [summary, status, answer] = is
  const need = needOfRequest(method, path)
  // `/health` asks for no token, and is not counted.
  const guards = need === null ? [403] : [401, 403, 429]
  const ofBody = body === undefined ? [] : [408, 413]
  const refusals = [...new Set([...refuses, ...ofBody, ...guards])]
    .sort((a, b) => a - b)
    .map((code) => [code, { description: REFUSALS[code]!, ...json('Problem') }])
  return {
    summary,
    // The token that it needs, or none where the daemon asks for none.
    security: need === null ? [] : [{ bearer: [need] }, {}],
    parameters: [
      ...(path.includes('{id}') ? [parameter('id', 'path')] : []),
      ...(query ?? []).map((name) => parameter(name, 'query')),
      ...(headers ?? []).map((name) => parameter(name, 'header')),
    ],
    ...(body === undefined ? {} : { requestBody: { ...json(body), required: body !== 'Cancel' } }),
    responses: Object.fromEntries([
      [status, { description: 'Done.', ...contentOf(answer, also) }],
      ...refusals,
    ]),
  }
}

const parameter = (name: string, place: 'path' | 'query' | 'header'): JsonObject => ({
  name,
  in: place,
  required: place === 'path',
  schema: { type: 'string' },
})

const json = (name: string): { readonly content: JsonObject } => ({
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
})

/** @param also what it has beside */
const contentOf = (answer: string, also: readonly string[] = []): JsonObject => {
  if (answer === '') return {}
  const isText = answer.startsWith('text/')
  const texts = (isText ? [answer, ...also] : also).map((type) => [type, { schema: { type: 'string' } }])
  return { content: { ...(isText ? {} : json(answer).content), ...Object.fromEntries(texts) } }
}
