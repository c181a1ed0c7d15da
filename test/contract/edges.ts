/** The two wires behind one face, so that one suite can say the same of both. */
import { type Client, NewClient, call, connect } from '../support/grpc-transcript.ts'
import { type Answer, request } from '../support/daemon.ts'

/** A refusal: the wire's own code, and the message. */
export class Refused extends Error {
  readonly code: number | string

  constructor(code: number | string, message: string) {
    super(message)
    this.code = code
  }
}

/** Where the wires are. */
export interface Served {
  readonly url: string
  readonly grpcAddress: string
}

/** What can be said beside `tasks`. */
interface How {
  readonly on_conflict?: string
  readonly durability?: string
  readonly idempotency_key?: string
}

export interface Edge {
  readonly name: string
  /** The codes that stand for 400, 404, 409, 422 and 503. */
  readonly codes: Readonly<Record<'invalid' | 'notFound' | 'conflict' | 'mismatch' | 'unavailable', number>>
  submit(
    tasks: readonly object[],
    how?: How,
  ): Promise<{ accepted: number; task_ids: string[]; graph_id: string; replayed: boolean }>
  /** In the shape of `GET /tasks/{id}`, as far as the wire carries it. */
  get(id: string): Promise<any>
  list(): Promise<any[]>
  remove(id: string): Promise<void>
  cancel(id: string, graceMs?: number): Promise<any>
  why(id: string): Promise<any>
  graph(id: string): Promise<any>
  cancelGraph(id: string): Promise<any>
  health(): Promise<{ status: string; version: string; uptime: string }>
  metrics(): Promise<any>
  close(): void
}

export const httpEdge = ({ url }: Served): Edge => {
  const answer = async (method: string, path: string, body?: unknown, headers = {}): Promise<Answer> => {
    const response = await request(url + path, method, body, headers)
    if (response.status >= 300) throw new Refused(response.status, response.body.error)
    return response
  }
  const ask = async (method: string, path: string, body?: unknown): Promise<any> =>
    (await answer(method, path, body)).body
  return {
    name: 'HTTP',
    codes: { invalid: 400, notFound: 404, conflict: 409, mismatch: 422, unavailable: 503 },
    submit: async (tasks, { idempotency_key, ...how } = {}) => {
      const named = idempotency_key === undefined ? {} : { 'Idempotency-Key': idempotency_key }
      const { body, headers } = await answer('POST', '/tasks', { tasks, ...how }, named)
      return { ...body, replayed: headers.get('Idempotent-Replayed') === 'true' }
    },
    get: (id) => ask('GET', `/tasks/${encodeURIComponent(id)}`),
    list: () => ask('GET', '/tasks'),
    remove: (id) => ask('DELETE', `/tasks/${encodeURIComponent(id)}`),
    cancel: (id, grace_ms) =>
      ask(
        'POST',
        `/tasks/${encodeURIComponent(id)}/cancel`,
        grace_ms === undefined ? undefined : { grace_ms },
      ),
    why: (id) => ask('GET', `/tasks/${encodeURIComponent(id)}/why`),
    graph: (id) => ask('GET', `/graphs/${id}`),
    cancelGraph: (id) => ask('POST', `/graphs/${id}/cancel`),
    health: () => ask('GET', '/health'),
    metrics: () => ask('GET', '/metrics'),
    close: () => {},
  }
}

const json = (text: string): unknown => (text === '' ? undefined : JSON.parse(text))

const fromMessage = (task: any): any => ({
  id: task.id,
  type: task.type,
  params: json(task.params_json),
  input: json(task.input_json),
  depends_on: task.depends_on,
  retry: task.retry,
  timeout: task.timeout_ms,
  tool_name: task.tool_name,
  status: task.status,
  run_status: task.run_status || undefined,
  graph_id: task.graph_id,
  priority: task.priority,
  run_at: task.run_at_unix_ms === 0 ? undefined : new Date(task.run_at_unix_ms).toISOString(),
  allow_failure: task.allow_failure || undefined,
  run_if: task.run_if || undefined,
  result: json(task.result_json),
  error: task.error || undefined,
  runtime: json(task.runtime_json),
  created_at: new Date(task.created_at_unix_ms).toISOString(),
  updated_at: new Date(task.updated_at_unix_ms).toISOString(),
})

const toMessage = (task: any): object => ({
  ...task,
  params_json: task.params === undefined ? '' : JSON.stringify(task.params),
  input_json: task.input === undefined ? '' : JSON.stringify(task.input),
  timeout_ms: task.timeout ?? 0,
  ...(task.run_at === undefined ? {} : { run_at_unix_ms: Date.parse(task.run_at) }),
})

export const grpcEdge = ({ grpcAddress }: Served): Edge => {
  const client: Client = connect(NewClient, grpcAddress)
  const ask = async (method: string, request: object): Promise<any> => {
    try {
      return (await call(client, method, request)).message
    } catch (error) {
      const { code, details } = error as { code: number; details: string }
      throw new Refused(code, details)
    }
  }
  return {
    name: 'gRPC',
    codes: { invalid: 3, notFound: 5, conflict: 9, mismatch: 9, unavailable: 14 },
    submit: (tasks, how = {}) => ask('SubmitTasks', { tasks: tasks.map(toMessage), ...how }),
    get: async (id) => fromMessage((await ask('GetTask', { id })).task),
    list: async () => (await ask('ListTasks', {})).tasks.map(fromMessage),
    remove: (id) => ask('DeleteTask', { id }),
    cancel: async (id, grace_ms) =>
      fromMessage((await ask('CancelTask', grace_ms === undefined ? { id } : { id, grace_ms })).task),
    why: async (id) => JSON.parse((await ask('ExplainTask', { id })).why_json),
    graph: async (graph_id) => (await ask('GetGraph', { graph_id })).graph,
    cancelGraph: async (graph_id) => (await ask('CancelGraph', { graph_id })).graph,
    health: () => ask('Health', {}),
    metrics: () => ask('Metrics', {}),
    close: () => client.close(),
  }
}
