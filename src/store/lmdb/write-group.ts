/** What a group of commits writes, and the writing of it. */
import { asBinary } from 'lmdb'
import type { Counts, Graph } from '../../domain/graph-record.ts'
import type { Task } from '../../domain/task.ts'
import type { Acceptance, Commit, FirstAnswer } from '../store.ts'
import { writePart } from './accept-records.ts'
import { type Batch, codeOf } from './batches.ts'
import type { Tables } from './database.ts'
import type { Memory } from './memory.ts'
import type { RecordBuffer } from './record-buffer.ts'
import { noteGone, type Removals } from './removals.ts'
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

/** Writes a group into the transaction that is open. Whether it was written is told once, by the whole. */
export const putGroup = (
  tables: Tables,
  memory: Memory,
  texts: Texts,
  records: RecordBuffer,
  group: WriteGroup,
): void => {
  group.removals?.put(memory, texts)
  for (const task of group.endedAway)
    for (const accept of memory.concerned(task.key)) noteGone(tables, memory, accept, task.key, codeOf(task))
  if (group.accepted.length + group.revived.length > 0)
    void tables.accepts.put(group.accept, acceptRecord(records, group))
  for (const { tasks } of group.accepted)
    for (const task of tasks) if (isForeignHandle(task)) void tables.handles.put(task.handleId, task.key)
  for (const answer of group.answers) void tables.answers.put(answer.key, answer)
  if (group.revived.length > 0) void tables.graphs.remove(group.revived[0]!.graph.key)
  if (group.started.length > 0) void tables.starts.put(group.start, encodeStarts(group.started))
  for (const { number, payload, heads } of group.batches) {
    void tables.batches.put(number, payload)
    void tables.heads.put(number, heads.bytes)
  }
  for (const graph of group.over) void tables.graphs.put(graph.key, graphRecord(records, graph, memory))
  putIdle(tables, memory, group)
}

const acceptRecord = (records: RecordBuffer, { accepted, revived }: WriteGroup): Buffer => {
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
  return records.end()
}

/** Takes away the records that nothing needs any more. */
const putIdle = (tables: Tables, memory: Memory, group: WriteGroup): void => {
  group.idleAccepts.push(...memory.idleAccepts.splice(0))
  group.idleStarts.push(...memory.idleStarts.splice(0))
  for (const accept of group.idleAccepts) {
    void tables.accepts.remove(accept)
    if (!memory.withGone.has(accept)) continue
    for (const gone of tables.gone.getKeys({ start: [accept, 0], end: [accept + 1, 0] }))
      void tables.gone.remove(gone)
  }
  for (const start of group.idleStarts) void tables.starts.remove(start)
}

/** The record of a graph that is over, as JSON. */
const graphRecord = (records: RecordBuffer, graph: Graph, memory: Memory): unknown => {
  const { success, failed, skipped, bad } = memory.written.get(graph.key)!
  // What runs is not written as it changes; of a graph that is over nothing does.
  records.write(
    `{"createdMs":${graph.createdMs},"size":${graph.size},"isRelaxed":${graph.isRelaxed},"finishedMs":${graph.finishedMs},"counts":{"running":0,"success":${success},"failed":${failed},"skipped":${skipped},"bad":${bad}}}`,
  )
  return asBinary(records.end())
}

/** Not one that its key says: taken over from the original server. */
const isForeignHandle = (task: Task): boolean =>
  task.handleId !== '' && !task.handleId.endsWith(String(task.key))
