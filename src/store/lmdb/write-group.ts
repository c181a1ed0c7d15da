/** What a group of commits writes, and the writing of it. */
import type { Counts, Graph } from '../../domain/graph-record.ts'
import type { Task } from '../../domain/task.ts'
import type { Acceptance, Commit, FirstAnswer } from '../store.ts'
import { writePart } from './accept-records.ts'
import { type Batch, codeOf } from './batches.ts'
import type { Tables } from './database.ts'
import { goneKey, type TableName } from './entries.ts'
import { removeGraphs, writeGraphs } from './graph-records.ts'
import type { Memory } from './memory.ts'
import type { RecordBuffer } from './record-buffer.ts'
import type { Removals } from './removals.ts'
import { encodeStarts } from './starts.ts'
import type { Texts } from './texts.ts'

/** A commit of the port, or one of the store's own housekeeping. */
export type Change = Commit & {
  readonly removedKeys?: readonly number[]
  /** An accepted task may have the id of another record, which goes. */
  readonly replaces?: boolean
}

export interface WriteGroup {
  readonly accept: number
  readonly accepted: Acceptance[]
  readonly answers: FirstAnswer[]
  /** Tasks of one graph that were over, and are not any more. */
  revived: readonly Task[]
  /** Graphs whose last outcomes are in it. */
  readonly over: Graph[]
  readonly start: number
  readonly started: Task[]
  /** With a record, and without one that is still theirs. */
  readonly ended: Task[]
  readonly endedAway: Task[]
  batches: readonly Batch[]
  removals: Removals | null
  /** Records that this group removes. */
  readonly idleAccepts: number[]
  readonly idleStarts: number[]
  /** To be put back where the write fails. */
  readonly countsBefore: Map<Counts, Counts>
}

/** @param accept,start the numbers of its records */
export const emptyGroup = (accept: number, start: number): WriteGroup => ({
  accept,
  accepted: [],
  answers: [],
  revived: [],
  over: [],
  start,
  started: [],
  ended: [],
  endedAway: [],
  batches: [],
  removals: null,
  idleAccepts: [],
  idleStarts: [],
  countsBefore: new Map(),
})

/** Writes what a group adds, and takes away the records that nothing needs any more; its batches are written already. */
export const writeGroup = (memory: Memory, records: RecordBuffer, group: WriteGroup): void => {
  for (const task of group.endedAway) noteEnd(memory, records, task)
  if (group.accepted.length + group.revived.length > 0) writeAccept(records, group)
  for (const { tasks } of group.accepted)
    for (const task of tasks)
      if (isForeignHandle(task)) writeText(records, 'handles', task.handleId, String(task.key))
  for (const answer of group.answers) writeText(records, 'answers', answer.key, JSON.stringify(answer))
  if (group.started.length > 0) {
    const starts = encodeStarts(group.started)
    starts.copy(records.take('starts', group.start, starts.length))
  }
  writeGraphs(records, group.over, memory.written)
  removeIdle(memory, records, group)
}

/** Writes what a group takes away into the transaction that is open. */
export const putRemovals = (tables: Tables, memory: Memory, texts: Texts, group: WriteGroup): void => {
  group.removals?.put(memory, texts)
  if (group.revived.length > 0) removeGraphs(tables, [group.revived[0]!.graph.key])
}

/** It had not ended when its record went. */
const noteEnd = (memory: Memory, records: RecordBuffer, task: Task): void => {
  for (const accept of memory.concerned(task.key)) {
    records.take('gone', goneKey(accept, task.key), 1)[0] = codeOf(task)
    memory.withGone.add(accept)
  }
}

const writeText = (records: RecordBuffer, table: TableName, key: number | string, text: string): void => {
  records.open(table, key)
  records.write(text)
  records.close()
}

const writeAccept = (records: RecordBuffer, { accept, accepted, revived }: WriteGroup): void => {
  records.open('accepts', accept)
  records.write('[')
  for (let at = 0; at < accepted.length; at++) {
    if (at > 0) records.write(',')
    writePart(records, accepted[at]!.graph, accepted[at]!.tasks, false)
  }
  if (revived.length > 0) {
    if (accepted.length > 0) records.write(',')
    writePart(records, revived[0]!.graph, revived, true)
  }
  records.write(']')
  records.close()
}

const removeIdle = (memory: Memory, records: RecordBuffer, group: WriteGroup): void => {
  group.idleAccepts.push(...memory.idleAccepts.splice(0))
  group.idleStarts.push(...memory.idleStarts.splice(0))
  for (const accept of group.idleAccepts) {
    records.remove('accepts', accept)
    if (memory.withGone.has(accept)) records.remove('gone', accept)
  }
  for (const start of group.idleStarts) records.remove('starts', start)
}

/** Not one that its key says: taken over from the original server. */
const isForeignHandle = (task: Task): boolean =>
  task.handleId !== '' && !task.handleId.endsWith(String(task.key))
