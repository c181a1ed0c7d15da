/** What a token may do, and which scope a request needs. @see contract B5 */

export const SCOPES = ['read', 'submit', 'cancel', 'admin'] as const

export type Scope = (typeof SCOPES)[number]

const CANCEL = /^\/(?:tasks|graphs)\/[^/?#\\]+\/cancel$/
const RETRY = /^\/graphs\/[^/?#\\]+\/retry$/

/**
 * The scope that a request needs, null for none. Judged by the path as it came: one that only becomes a route when it is
 * decoded needs `admin`, as does whatever is not known here.
 */
export const scopeOfRequest = (method: string, url: string): Scope | null => {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  if (method === 'GET' || method === 'HEAD') return path === '/health' ? null : 'read'
  if (method === 'DELETE') return 'cancel'
  if (method !== 'POST') return 'admin'
  if (path === '/tasks' || path === '/mcp/call' || RETRY.test(path)) return 'submit'
  if (path === '/tasks/wait') return 'read'
  return CANCEL.test(path) ? 'cancel' : 'admin'
}

const CALLS: Readonly<Record<string, Scope>> = {
  SubmitTasks: 'submit',
  RetryGraph: 'submit',
  DeleteTask: 'cancel',
  DeleteGraph: 'cancel',
  CancelTask: 'cancel',
  CancelGraph: 'cancel',
  GetTask: 'read',
  ListTasks: 'read',
  GetGraph: 'read',
  ListGraphs: 'read',
  Metrics: 'read',
  WaitTasks: 'read',
  WatchTasks: 'read',
  ServerReflectionInfo: 'read',
}

/** Services of which no token is asked: whoever looks whether the daemon lives has none. */
const HEALTH = new Set([
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/Watch',
  '/execgo.v1.ExecGo/Health',
])

/** Of a gRPC method's full path: `/execgo.v1.ExecGo/SubmitTasks`. */
export const scopeOfCall = (path: string): Scope | null => {
  if (HEALTH.has(path)) return null
  const name = path.slice(path.lastIndexOf('/') + 1)
  return Object.hasOwn(CALLS, name) ? CALLS[name]! : 'admin'
}
