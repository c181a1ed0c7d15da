/** What is said of each field that a tool takes: a language model reads it before it calls one. */
import type { JsonObject } from '../../domain/json.ts'
import { STATUSES } from '../../domain/lifecycle.ts'
import { HIGHEST_PRIORITY, RUN_IFS } from '../../domain/task.ts'
import type { TaskInput } from '../schemas.ts'

/** A description, or that and what else a schema may say. */
export type Words = Readonly<Record<string, string | JsonObject>>

export const TASK_WORDS = {
  id: 'Names the task, in the whole daemon: an id that exists already is replaced, unless on_conflict says otherwise. Choose one that nobody else uses, such as "review-42-build".',
  type: "What runs: shell, http, file, dns, tcp, sleep, noop, mcp or cli-skills; or os, with a tool_name of the daemon's own.",
  params:
    'What the tool takes. shell: {"script": "make test", "dir": "/src"} or {"command": "ls", "args": ["-l"]}; http: {"url", "method", "headers", "body"}; file: {"action": "read|write|append|delete|stat", "path", "content"}; dns: {"name", "record": "ip|txt|cname"}; tcp: {"address": "host:port"}; sleep: {"duration_ms"}; cli-skills: {"command", "args"}.',
  depends_on: 'Ids of tasks of this graph that must be over before it starts. Others run side by side.',
  retry: 'Attempts beyond the first, where it fails.',
  timeout:
    'Milliseconds for one attempt; 0 is no limit. A command that runs longer is killed, and all that it started.',
  tool_name: "Of an mcp task: the tool to call, as server/tool. Of an os task: the daemon's own tool.",
  input: 'In the place of params: what an mcp tool takes.',
  annotations: 'Texts of yours, kept with the task.',
  priority: {
    description: 'Higher ones start first; 5 without it.',
    minimum: 0,
    maximum: HIGHEST_PRIORITY,
  },
  run_at: 'Not before this time, RFC 3339.',
  delay_ms: 'Not before so many milliseconds from now.',
  allow_failure: 'What depends on it runs although it failed.',
  run_if: {
    description:
      'When it runs, once all it depends on is over: success (without it), failure (to clean up or to tell), or always.',
    enum: [...RUN_IFS],
  },
} as const satisfies Record<keyof TaskInput, string | JsonObject>

export const FIELD_WORDS: Words = {
  tasks: 'The tasks of the graph. They are accepted all of them, or none.',
  on_conflict:
    'Where an id exists already: replace (without it) stops that task and runs the new one, reject refuses the graph, ignore keeps the old task as it is.',
  durability: 'sync (without it) answers when the graph is on the disk; relaxed does not wait for that.',
  idempotency_key:
    'The same key and graph, sent again within a day, is answered as before and does not run twice. Send one where you may have to try again.',
  wait: 'How long to wait for the end, such as 30s or 2m; 45s without it, 5m at most. The graph goes on after that.',
  task_ids: 'Ids of the tasks, 50 at most. Either these or graph_id.',
  task_id: 'The task. Either this or graph_id.',
  graph_id: 'The graph, as submit_graph answered it: g- and a number.',
  mode: 'all (without it) waits until all are over, any until one is.',
  timeout: 'How long to wait, such as 30s or 2m; 45s without it, 5m at most.',
  grace_ms: 'Between SIGTERM and SIGKILL, for a command; 5000 without it.',
  id: 'The task.',
  max_chars: 'How much to answer, in characters; 24000 without it, 200000 at most.',
  text_at: 'Reads one text of the task alone, by its place in it: "result.stdout", "result.body", "error".',
  offset: 'Where to begin in the text at text_at; 0 without it.',
  status: { description: 'Those of this status.', enum: [...STATUSES] },
  type: 'Those of this type: os, mcp, cli-skills, or a tool such as shell.',
  tool: 'Those of this tool.',
  prefix: 'Those whose ids begin with this.',
  order: {
    description: 'created (without it) has the oldest first, -created the newest.',
    enum: ['created', '-created'],
  },
  limit: { description: 'How many at most; 20 without it.', minimum: 1, maximum: 100 },
  cursor: 'Where to go on: next_cursor of the page before.',
}
