import { graphIdOf } from '../domain/graph-record.ts'
import { type Task, toolInputJson } from '../domain/task.ts'
import type { Assignment } from '../pool/messages.ts'

/** The attempt that a task has come to, for the executor. @param ref names the attempt there */
export const assignmentOf = (task: Task, ref: number, isInstant: boolean): Assignment => ({
  ref,
  taskId: task.id,
  graphId: graphIdOf(task.graph.key),
  isInstant,
  category: task.type,
  toolName: task.toolName,
  inputJson: toolInputJson(task),
  attempt: task.attempt,
  handleId: task.handleId,
})
