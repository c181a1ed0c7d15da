/** What a group of commits writes, and the writing of it. */
import type { Counts, Graph } from '../../domain/graph-record.ts'
import type { Task } from '../../domain/task.ts'
import type { Commit } from '../store.ts'
import { encodePart } from './accept-records.ts'
import { type Batch, codeOf } from './batches.ts'
import { part, type Tables } from './database.ts'
import type { Waiting } from './group-commit.ts'
import type { Memory } from './memory.ts'
import { noteGone, type Removals } from './removals.ts'
import { encodeStarts } from './starts.ts'
import type { Texts } from './texts.ts'

/** A commit of the port, or one of the store's own housekeeping. */
export type Change = Commit & { readonly removedKeys?: readonly number[] }

export interface WriteGroup {
  readonly accept: number
  /** Accepted and revived tasks. */
  readonly added: Task[]
  /** Graphs whose last outcomes are in it. */
  readonly over: Graph[]
  readonly start: number
  readonly started: Task[]
  /** With a record, and without one that is still theirs. */
  readonly ended: Task[]
  readonly endedAway: Task[]
  batches: { readonly number: number; readonly batch: Batch }[]
  removals: Removals | null
  /** A graph whose tasks were revived. */
  revived: Graph | null
  /** Records that this group removes. */
  readonly idleAccepts: number[]
  readonly idleStarts: number[]
  /** To be put back where the write fails. */
  readonly countsBefore: Map<Counts, Counts>
}

/** @param accept,start the numbers of its records */
export const emptyGroup = (accept: number, start: number): WriteGroup => ({
  accept,
  added: [],
  over: [],
  start,
  started: [],
  ended: [],
  endedAway: [],
  batches: [],
  removals: null,
  revived: null,
  idleAccepts: [],
  idleStarts: [],
  countsBefore: new Map(),
})

/** Writes a group, within a transaction. */
export const putGroup = (
  tables: Tables,
  memory: Memory,
  texts: Texts,
  group: WriteGroup,
  items: readonly Waiting<Change>[],
): void => {
  const parts = items.flatMap(({ item }) => putParts(tables, group, item))
  group.removals?.put(texts)
  for (const task of group.endedAway)
    for (const accept of memory.concerned(task.key)) noteGone(tables, [accept, task.key], codeOf(task))
  if (parts.length > 0) part(tables.accepts.put(group.accept, Buffer.from(`[${parts.join(',')}]`)))
  if (group.started.length > 0) part(tables.starts.put(group.start, encodeStarts(group.started)))
  for (const { number, batch } of group.batches) {
    part(tables.batches.put(number, batch.payload))
    part(tables.heads.put(number, batch.heads.bytes))
  }
  for (const graph of group.over) part(tables.graphs.put(graph.key, recordOf(graph, memory)))
  putIdle(tables, memory, group)
}

/** The parts of the accept record that a commit has, and what is written beside them. */
const putParts = (
  tables: Tables,
  group: WriteGroup,
  { accepted, firstAnswer, revived = [] }: Change,
): string[] => {
  const parts: string[] = []
  if (firstAnswer !== undefined) part(tables.answers.put(firstAnswer.key, firstAnswer))
  if (accepted !== undefined) {
    const { graph, tasks } = accepted
    parts.push(encodePart(graph, tasks, false))
    for (const task of tasks) if (isForeignHandle(task)) part(tables.handles.put(task.handleId, task.key))
  }
  // Those that were removed since they were looked at stay away.
  const back = revived.filter((task) => group.removals?.has(task.key) === true)
  if (back.length > 0) {
    const { graph } = back[0]!
    parts.push(encodePart(graph, back, true))
    part(tables.graphs.remove(graph.key))
  }
  return parts
}

/** Takes away the records that nothing needs any more. */
const putIdle = (tables: Tables, memory: Memory, group: WriteGroup): void => {
  group.idleAccepts.push(...memory.idleAccepts.splice(0))
  group.idleStarts.push(...memory.idleStarts.splice(0))
  for (const accept of group.idleAccepts) {
    part(tables.accepts.remove(accept))
    for (const gone of tables.gone.getKeys({ start: [accept, 0], end: [accept + 1, 0] }))
      part(tables.gone.remove(gone))
  }
  for (const start of group.idleStarts) part(tables.starts.remove(start))
}

/** The record of a graph that is over. */
const recordOf = ({ key, createdMs, size, isRelaxed, finishedMs }: Graph, memory: Memory): object => {
  // What runs is not written as it changes; of a graph that is over nothing does.
  const counts = { ...memory.written.get(key), running: 0 }
  return { createdMs, size, isRelaxed, finishedMs, counts }
}

/** Not one that its key says: taken over from the original server. */
const isForeignHandle = (task: Task): boolean =>
  task.handleId !== '' && !task.handleId.endsWith(String(task.key))
