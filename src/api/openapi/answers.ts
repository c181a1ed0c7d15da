/** The shapes of what the daemon answers. Nothing runs through these but the tests' eyes: they are for the document. */
import * as v from 'valibot'
import { STATUSES } from '../../domain/lifecycle.ts'
import { ERROR_CODES } from '../../domain/runtime.ts'
import { ALIASES } from '../../domain/normalize.ts'
import { CATEGORIES, HIGHEST_PRIORITY, RUN_IFS } from '../../domain/task.ts'

const text = v.string()
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const object = v.record(text, v.unknown())
const time = v.pipe(text, v.metadata({ format: 'date-time' }))
const graphId = v.pipe(text, v.regex(/^g-\d+$/))

export const ProblemAnswer = v.object({
  error: v.pipe(text, v.description('What is wrong, for a person.')),
})

export const SubmittedAnswer = v.object({
  accepted: v.pipe(count, v.description('How many tasks are new.')),
  task_ids: v.pipe(v.array(text), v.description('In the order of the request.')),
  graph_id: v.optional(graphId),
})

const ProgressLine = v.object({ timestamp: time, message: text })

const RuntimeError = v.object({
  code: v.picklist(ERROR_CODES),
  message: text,
  retryable: v.optional(v.boolean()),
  source: v.picklist(['executor', 'scheduler']),
  details: v.optional(object),
})

const Timings = v.object({
  queued_ms: v.number(),
  started_ms: v.number(),
  ran_ms: v.number(),
  committed_ms: v.number(),
})

const Details = v.object({
  timings: v.optional(v.pipe(Timings, v.description('Only with EXECGO_TIMINGS=on.'))),
})

const Runtime = v.pipe(
  v.object({
    status: v.optional(v.picklist(['running', 'success', 'failed', 'cancelled'])),
    output: v.optional(v.unknown()),
    started_at: v.optional(time),
    finished_at: v.optional(time),
    duration_ms: v.optional(count),
    attempt: count,
    handle_id: v.optional(text),
    details: v.optional(
      v.nullable(
        v.pipe(Details, v.metadata({ additionalProperties: true, description: 'What a tool tells.' })),
      ),
    ),
    error: v.optional(RuntimeError),
  }),
  v.description('The last attempt.'),
)

export const TaskAnswer = v.object({
  id: text,
  type: v.pipe(
    v.picklist([...CATEGORIES, ...ALIASES]),
    v.description('One of the first three, but in records of the original server that were over.'),
  ),
  params: v.optional(object),
  depends_on: v.optional(v.array(text)),
  retry: v.optional(count),
  timeout: v.optional(v.pipe(count, v.description('For one attempt, in milliseconds.'))),
  tool_name: v.optional(text),
  input: v.optional(object),
  annotations: v.optional(v.record(text, text)),
  priority: v.optional(v.pipe(count, v.maxValue(HIGHEST_PRIORITY))),
  run_at: v.optional(time),
  allow_failure: v.optional(v.literal(true)),
  run_if: v.optional(v.picklist(RUN_IFS)),
  execution_category: v.optional(v.literal('os')),
  handle_id: v.optional(text),
  progress: v.optional(v.array(ProgressLine)),
  status: v.picklist(STATUSES),
  run_status: v.optional(v.picklist(['running', 'success', 'failed', 'cancelled'])),
  result: v.optional(v.unknown()),
  error: v.optional(text),
  runtime: v.optional(Runtime),
  graph_id: graphId,
  created_at: time,
  updated_at: time,
})

export const TasksAnswer = v.array(TaskAnswer)

export const WaitedAnswer = v.object({ done: v.boolean(), tasks: TasksAnswer })

export const WhyAnswer = v.pipe(
  v.object({
    id: text,
    status: v.picklist(STATUSES),
    reason: v.pipe(
      v.picklist([
        'dependencies',
        'predecessor',
        'start_time',
        'retry_time',
        'slot',
        'running',
        'stopping',
        'shutdown',
        'saving',
        'pending',
        'success',
        'failed',
        'cancelled',
        'skipped',
        'not_needed',
      ]),
      v.description('Which other fields there are depends on it.'),
    ),
    message: text,
    dependencies: v.optional(v.array(v.object({ id: text, status: v.picklist(STATUSES) }))),
    place: v.optional(v.pipe(count, v.description('In line for a slot, from 1.'))),
    priority: v.optional(count),
    root: v.optional(v.object({ id: text, status: text, error: v.optional(text) })),
  }),
  v.metadata({ additionalProperties: true }),
)

export const GraphAnswer = v.object({
  graph_id: graphId,
  status: v.picklist(['pending', 'running', 'success', 'failed']),
  counts: v.object({ pending: count, running: count, success: count, failed: count, skipped: count }),
  created_at: time,
  finished_at: v.optional(time),
})

export const GraphsAnswer = v.object({ graphs: v.array(GraphAnswer), next_cursor: v.nullable(graphId) })

export const HealthAnswer = v.object({ status: v.literal('ok'), version: text, uptime: text })

export const MetricsAnswer = v.object({
  tasks_total: count,
  tasks_running: count,
  tasks_succeeded: count,
  tasks_failed: v.pipe(count, v.description('Failed and skipped.')),
  by_type: v.record(text, count),
})

export const McpToolsAnswer = v.object({
  tools: v.array(v.object({ name: text, category: text, description: text, input_schema: object })),
})

export const McpTaskAnswer = v.object({
  task_id: text,
  status: v.picklist(['accepted', 'running', 'success', 'failed', 'cancelled']),
  handle_id: text,
  output: v.optional(v.unknown()),
  details: v.optional(object),
  progress: v.optional(v.array(ProgressLine)),
  started_at: time,
  finished_at: v.optional(time),
  duration_ms: v.optional(count),
  attempt: v.optional(count),
  error: v.optional(RuntimeError),
})
