import { graphIdOf } from '../domain/graph-record.ts'
import type { Task } from '../domain/task.ts'
import { traceIdIn } from '../domain/trace-context.ts'

/** What names an attempt of a task in the log. */
export const namesOf = (task: Task): object => ({
  ...(task.graph.traceparent === '' ? {} : { trace_id: traceIdIn(task.graph.traceparent) }),
  task_id: task.id,
  graph_id: graphIdOf(task.graph.key),
  attempt: task.attempt,
})

/** What the scheduler needs of a logger. pino's is one. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
