/**
 * Assignments and outcomes as rows of plain values, one after the other in one flat array: copying them to another
 * thread costs a third of what it costs for objects, which carry the names of their fields along.
 */
import type { ErrorCode } from '../domain/runtime.ts'
import type { Assignment, Outcome } from './messages.ts'

export type Rows = readonly (string | number)[]

const ASSIGNMENT_WIDTH = 9

export const assignmentRows = (assignments: readonly Assignment[]): Rows => {
  const rows: (string | number)[] = []
  for (const assignment of assignments) {
    const { ref, taskId, graphId, isInstant, category, toolName, inputJson, attempt, handleId } = assignment
    rows.push(ref, taskId, graphId, isInstant ? 1 : 0, category, toolName, inputJson, attempt, handleId)
  }
  return rows
}

export const assignmentsIn = (rows: Rows): Assignment[] => {
  const assignments: Assignment[] = []
  for (let at = 0; at < rows.length; at += ASSIGNMENT_WIDTH) {
    assignments.push({
      ref: rows[at] as number,
      taskId: rows[at + 1] as string,
      graphId: rows[at + 2] as string,
      isInstant: rows[at + 3] === 1,
      category: rows[at + 4] as string,
      toolName: rows[at + 5] as string,
      inputJson: rows[at + 6] as string,
      attempt: rows[at + 7] as number,
      handleId: rows[at + 8] as string,
    })
  }
  return assignments
}

const OUTCOME_WIDTH = 10

export const outcomeRows = (outcomes: readonly Outcome[]): Rows => {
  const rows: (string | number)[] = []
  for (const outcome of outcomes) {
    const { ref, status, outputJson, detailsJson, startedMs, finishedMs, ranMs, message, code } = outcome
    const flags = (outcome.retryable ? RETRYABLE : 0) | (outcome.isFinal ? FINAL : 0)
    rows.push(ref, status, outputJson, detailsJson, startedMs, finishedMs, ranMs, message, code, flags)
  }
  return rows
}

export const outcomesIn = (rows: Rows): Outcome[] => {
  const outcomes: Outcome[] = []
  for (let at = 0; at < rows.length; at += OUTCOME_WIDTH) {
    const flags = rows[at + 9] as number
    outcomes.push({
      ref: rows[at] as number,
      status: rows[at + 1] as Outcome['status'],
      outputJson: rows[at + 2] as string,
      detailsJson: rows[at + 3] as string,
      startedMs: rows[at + 4] as number,
      finishedMs: rows[at + 5] as number,
      ranMs: rows[at + 6] as number,
      message: rows[at + 7] as string,
      code: rows[at + 8] as ErrorCode,
      retryable: (flags & RETRYABLE) !== 0,
      isFinal: (flags & FINAL) !== 0,
    })
  }
  return outcomes
}

const RETRYABLE = 1
const FINAL = 2
