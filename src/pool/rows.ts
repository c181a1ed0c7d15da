/**
 * Assignments, or outcomes, as plain values one after the other in one flat array: copying them to another thread costs
 * a third of what it costs for objects, which carry the names of their fields along.
 *
 * Those that differ by little stand in a run: how many they are, what they share, and for each what is its own. A
 * layer of a graph is one run. The two kinds are written out, each with its fields: one code for both would look fields
 * up by name, for every task.
 */
import type { ErrorCode } from '../domain/runtime.ts'
import type { Assignment, Outcome } from './messages.ts'

export type Rows = readonly (string | number)[]

/** What a run begins with, the number of its members included; and what each has of its own. */
const ASSIGNMENTS_SHARE = 7
const ASSIGNMENT_OWN = 3

export const assignmentRows = (assignments: readonly Assignment[]): Rows => {
  const rows: (string | number)[] = []
  let run = 0
  let first: Assignment | null = null
  for (const assignment of assignments) {
    if (first === null || !isLike(first, assignment)) {
      first = assignment
      run = rows.length
      const { category, toolName, inputJson, attempt, handleId, traceparent } = assignment
      rows.push(0, category, toolName, inputJson, attempt, handleId, traceparent)
    }
    rows[run] = (rows[run] as number) + 1
    rows.push(assignment.ref, assignment.taskId, assignment.graphKey)
  }
  return rows
}

const isLike = (one: Assignment, other: Assignment): boolean =>
  one.category === other.category &&
  one.toolName === other.toolName &&
  one.inputJson === other.inputJson &&
  one.attempt === other.attempt &&
  one.handleId === other.handleId &&
  one.traceparent === other.traceparent

export const assignmentsIn = (rows: Rows): Assignment[] => {
  const assignments: Assignment[] = []
  for (let at = 0; at < rows.length; ) {
    const category = rows[at + 1] as string
    const toolName = rows[at + 2] as string
    const inputJson = rows[at + 3] as string
    const attempt = rows[at + 4] as number
    const handleId = rows[at + 5] as string
    const traceparent = rows[at + 6] as string
    let own = at + ASSIGNMENTS_SHARE
    const end = own + (rows[at] as number) * ASSIGNMENT_OWN
    for (; own < end; own += ASSIGNMENT_OWN) {
      const ref = rows[own] as number
      const taskId = rows[own + 1] as string
      const graphKey = rows[own + 2] as number
      assignments.push({
        ref,
        taskId,
        graphKey,
        category,
        toolName,
        inputJson,
        attempt,
        handleId,
        traceparent,
      })
    }
    at = end
  }
  return assignments
}

const OUTCOMES_SHARE = 9
const OUTCOME_OWN = 2

export const outcomeRows = (outcomes: readonly Outcome[]): Rows => {
  const rows: (string | number)[] = []
  let run = 0
  let first: Outcome | null = null
  for (const outcome of outcomes) {
    if (first === null || !isSameEnd(first, outcome)) {
      first = outcome
      run = rows.length
      const { status, outputJson, detailsJson, startedMs, finishedMs, message, code } = outcome
      const flags = (outcome.retryable ? RETRYABLE : 0) | (outcome.isFinal ? FINAL : 0)
      rows.push(0, status, outputJson, detailsJson, startedMs, finishedMs, message, code, flags)
    }
    rows[run] = (rows[run] as number) + 1
    rows.push(outcome.ref, outcome.ranMs)
  }
  return rows
}

const isSameEnd = (one: Outcome, other: Outcome): boolean =>
  one.status === other.status &&
  one.outputJson === other.outputJson &&
  one.detailsJson === other.detailsJson &&
  one.startedMs === other.startedMs &&
  one.finishedMs === other.finishedMs &&
  one.message === other.message &&
  one.code === other.code &&
  one.retryable === other.retryable &&
  one.isFinal === other.isFinal

export const outcomesIn = (rows: Rows): Outcome[] => {
  const outcomes: Outcome[] = []
  for (let at = 0; at < rows.length; ) {
    const status = rows[at + 1] as Outcome['status']
    const outputJson = rows[at + 2] as string
    const detailsJson = rows[at + 3] as string
    const startedMs = rows[at + 4] as number
    const finishedMs = rows[at + 5] as number
    const message = rows[at + 6] as string
    const code = rows[at + 7] as ErrorCode
    const flags = rows[at + 8] as number
    const retryable = (flags & RETRYABLE) !== 0
    const isFinal = (flags & FINAL) !== 0
    let own = at + OUTCOMES_SHARE
    const end = own + (rows[at] as number) * OUTCOME_OWN
    for (; own < end; own += OUTCOME_OWN) {
      const ref = rows[own] as number
      const ranMs = rows[own + 1] as number
      outcomes.push({
        ref,
        status,
        outputJson,
        detailsJson,
        startedMs,
        finishedMs,
        ranMs,
        message,
        code,
        retryable,
        isFinal,
      })
    }
    at = end
  }
  return outcomes
}

const RETRYABLE = 1
const FINAL = 2
