import { type Task, toolInputJson } from '../domain/task.ts'
import type { Dispatched } from '../pool/executor.ts'

/** The attempt that a task has come to, for the executor. @param ref names the attempt there */
export const assignmentOf = (task: Task, ref: number, isInstant: boolean): Dispatched => ({
  ref,
  taskId: task.id,
  graphKey: task.graph.key,
  isInstant,
  category: task.type,
  toolName: task.toolName,
  inputJson: toolInputJson(task),
  attempt: task.attempt,
  handleId: task.handleId,
  traceparent: task.graph.traceparent,
})
