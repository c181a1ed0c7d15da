/** What a token may do, and which scope a request needs. @see contract B5 */

export const SCOPES = ['read', 'submit', 'cancel', 'admin'] as const

export type Scope = (typeof SCOPES)[number]

/**
 * What a request needs: a scope; a token, whatever it may (`token`: what is asked for stands in the body); or no token
 * (`anyone`); null for none either, and no counting by the limit on requests.
 */
export type Need = Scope | 'token' | 'anyone' | null

const CANCEL = /^\/(?:tasks|graphs)\/[^/?#\\]+\/cancel$/
const RETRY = /^\/graphs\/[^/?#\\]+\/retry$/
/** The same for everybody, and nothing of anybody's: a browser that opens the page cannot bring a token along. */
const DESCRIPTION = /^\/(?:openapi\.json|docs(?:\/[a-z0-9.-]+)?)$/

/**
 * Judged by the path as it came: one that only becomes a route when it is decoded needs `admin`, as does whatever is not
 * known here.
 */
export const needOfRequest = (method: string, url: string): Need => {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  if (method === 'GET' || method === 'HEAD') {
    if (path === '/health') return null
    return DESCRIPTION.test(path) ? 'anyone' : 'read'
  }
  if (method === 'DELETE') return 'cancel'
  if (method !== 'POST') return 'admin'
  if (path === '/tasks' || path === '/mcp/call' || RETRY.test(path)) return 'submit'
  if (path === '/tasks/wait') return 'read'
  if (path === '/mcp') return 'token'
  return CANCEL.test(path) ? 'cancel' : 'admin'
}

const CALLS: Readonly<Record<string, Scope>> = {
  SubmitTasks: 'submit',
  DeleteTask: 'cancel',
  CancelTask: 'cancel',
  CancelGraph: 'cancel',
  GetTask: 'read',
  ListTasks: 'read',
  ExplainTask: 'read',
  GetGraph: 'read',
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
export const needOfCall = (path: string): Need => {
  if (HEALTH.has(path)) return null
  const name = path.slice(path.lastIndexOf('/') + 1)
  return Object.hasOwn(CALLS, name) ? CALLS[name]! : 'admin'
}

/** Whether the audit log tells of such a request also where it was let through: one that may change something. */
export const isNoted = (need: Need): boolean => need === 'submit' || need === 'cancel' || need === 'admin'
