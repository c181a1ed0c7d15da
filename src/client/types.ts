/** What crosses the wire, as a client sees it. */

/** The tools that a daemon brings, by the type that a task names: what each takes, and what it puts out. */
export interface Tools {
  noop: { params: { message?: string }; result: { ok: true; message: string } }
  sleep: { params: { duration_ms?: number }; result: { slept_ms: number } }
  shell: {
    params:
      | { command: string; args?: readonly string[]; dir?: string }
      | { script: string; runner?: 'auto' | 'sh' | 'cmd' | 'powershell'; dir?: string }
    result: { stdout: string; stderr: string; exit_code: number; runner: string }
  }
  file: {
    params:
      | { action: 'read' | 'delete' | 'stat'; path: string }
      | { action: 'write' | 'append'; path: string; content?: string }
    result:
      | { content: string; size: number }
      | { bytes_written: number }
      | { deleted: true }
      | { name: string; size: number; mode: string; mod_time: string; is_dir: boolean }
  }
  http: {
    params: { url: string; method?: string; headers?: Readonly<Record<string, string>>; body?: string }
    result: { status_code: number; body: string }
  }
  dns: {
    params: { name: string; record?: 'ip' | 'txt' | 'cname' }
    result: { name: string; record: string; addrs?: string[]; txt?: string[]; cname?: string }
  }
  tcp: { params: { address: string; timeout_ms?: number }; result: { ok: true; address: string } }
  mcp: { params: Readonly<Record<string, unknown>>; result: unknown }
  'cli-skills': {
    params: { command: string; args?: readonly string[] }
    result: { command: string; args: string[] | null; output: string }
  }
}
export type ToolName = keyof Tools

export type Status = 'pending' | 'running' | 'success' | 'failed' | 'skipped'

/** What a task may say beside its tool. */
export interface TaskOptions {
  /** Attempts beyond the first. */
  retry?: number
  /** For one attempt, in milliseconds. */
  timeout?: number
  annotations?: Readonly<Record<string, string>>
  /** 0 to 9, 5 by default; higher ones start first. */
  priority?: number
  /** Not before this time, RFC 3339. */
  run_at?: string
  /** Not before so many milliseconds after it was accepted. */
  delay_ms?: number
  /** Dependents run although it failed. */
  allow_failure?: boolean
  run_if?: 'success' | 'failure' | 'always'
}

/** A task to be submitted. `type` may also be `os`, with `tool_name`: a tool of your own goes so. */
export interface TaskSpec extends TaskOptions {
  id: string
  type: string
  params?: object
  depends_on?: readonly string[]
  tool_name?: string
  input?: object
}

export interface GraphSpec {
  tasks: readonly TaskSpec[]
  on_conflict?: 'replace' | 'reject' | 'ignore'
  durability?: 'sync' | 'relaxed'
}

export interface Submitted {
  accepted: number
  task_ids: string[]
  /** Absent where nothing new was in it. */
  graph_id?: string
}

/** A task as the daemon answers it. What it does not have is left out. */
export interface Task<Result = unknown> {
  id: string
  type: string
  status: Status
  run_status?: 'running' | 'success' | 'failed' | 'cancelled'
  result?: Result
  error?: string
  params?: Record<string, unknown>
  input?: Record<string, unknown>
  depends_on?: string[]
  tool_name?: string
  retry?: number
  timeout?: number
  annotations?: Record<string, string>
  priority?: number
  run_at?: string
  allow_failure?: true
  run_if?: 'failure' | 'always'
  handle_id?: string
  progress?: { timestamp: string; message: string }[]
  runtime?: {
    status?: 'running' | 'success' | 'failed' | 'cancelled'
    output?: unknown
    started_at?: string
    finished_at?: string
    duration_ms?: number
    attempt: number
    details?: Record<string, unknown> | null
    error?: { code: string; message: string; retryable?: boolean; source: string }
  }
  graph_id: string
  created_at: string
  updated_at: string
}

export interface Graph {
  graph_id: string
  status: 'pending' | 'running' | 'success' | 'failed'
  counts: Record<Status, number>
  created_at: string
  /** Absent while one of its tasks is not over. */
  finished_at?: string
}

export interface Waited {
  /** Whether what was waited for has come. */
  done: boolean
  tasks: Task[]
}

export interface Why {
  id: string
  status: Status
  reason: string
  message: string
  [more: string]: unknown
}

export type EventType =
  | 'task_submitted'
  | 'task_started'
  | 'task_progressed'
  | 'task_retried'
  | 'task_succeeded'
  | 'task_failed'
  | 'task_skipped'
  | 'task_cancelled'

export interface TaskEvent {
  /** Grows by one with every event of the daemon. */
  id: number
  type: EventType
  task_id: string
  graph_id: string
  at: string
  attempt?: number
  message?: string
}
