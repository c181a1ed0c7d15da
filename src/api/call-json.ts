/** What is answered about an `mcp` call. @see contract A2, `/mcp` */
import type { JsonObject } from '../domain/json.ts'
import type { Progress } from '../domain/task.ts'
import { progressJson } from '../domain/task-json.ts'
import { rfc3339 } from '../domain/time.ts'

/** What `GET /mcp/tools` lists in any case. */
export const MCP_EXECUTE: JsonObject = {
  name: 'mcp.execute',
  category: 'mcp',
  description: 'Execute MCP task and return handle',
  input_schema: { type: 'object' },
}

/** A call that was just accepted. */
export const acceptedCallJson = (
  id: string,
  handleId: string,
  atMs: number,
  progress: readonly Progress[],
): string =>
  `{"task_id":${JSON.stringify(id)},"status":"accepted","handle_id":"${handleId}","progress":${progressJson(progress)},"started_at":"${rfc3339(atMs)}"}`

/** A task's text in the shape of `GET /mcp/tasks/{handle}`. */
export const callStateJson = (handleId: string, json: string): string => {
  const task = JSON.parse(json) as JsonObject
  const runtime = (task['runtime'] ?? {}) as JsonObject
  return JSON.stringify({
    task_id: task['id'],
    status: runtime['status'] ?? 'accepted',
    handle_id: handleId,
    output: runtime['output'] ?? undefined,
    details: runtime['details'] ?? undefined,
    progress: task['progress'],
    started_at: runtime['started_at'] ?? task['created_at'],
    finished_at: runtime['finished_at'],
    duration_ms: runtime['duration_ms'],
    attempt: runtime['attempt'],
    error: runtime['error'],
  })
}
