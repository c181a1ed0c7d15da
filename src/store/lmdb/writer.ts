/**
 * Turns a group of commits into one record of the journal, and what it says into memory once it is written.
 *
 * Most commits only add: graphs that were accepted, tasks that began, tasks that are over. Those share a group. One
 * that takes something away (a replaced id, a deletion, a retry) has a group of its own, so that it finds all that came
 * before it in the tables; it is a transaction of theirs, synced before the next group.
 */
import { type Counts, countEnded, type Graph } from '../../domain/graph-record.ts'
import { isOver } from '../../domain/lifecycle.ts'
import type { Task } from '../../domain/task.ts'
import type { Acceptance } from '../store.ts'
import type { TaskNote } from '../events.ts'
import { type Batch, packBatches } from './batches.ts'
import type { StoreListener } from '../store.ts'
import { part, type Tables } from './database.ts'
import type { EventLog } from './event-log.ts'
import type { GroupWriter, Waiting, Written } from './group-commit.ts'
import type { GroupDisk } from './group-disk.ts'
import { hashOf } from './hash-table.ts'
import { CODES, statusOfCode } from './heads.ts'
import type { Ids } from './ids.ts'
import type { Memory } from './memory.ts'
import type { RecordBuffer } from './record-buffer.ts'
import { Removals } from './removals.ts'
import { UNFINISHED } from './task-index.ts'
import type { Texts } from './texts.ts'
import { type Change, type WriteGroup, emptyGroup, putRemovals, writeGroup } from './write-group.ts'

/** What was given last, by the records that are kept. */
interface LastNumbers {
  readonly lastAccept: number
  readonly lastStart: number
  readonly lastBatch: number
  readonly lastKey: number
}

export interface WriterParts {
  readonly tables: Tables
  readonly memory: Memory
  readonly texts: Texts
  readonly ids: Ids
  readonly records: RecordBuffer
  readonly disk: GroupDisk
  readonly events: EventLog
  readonly listener: () => StoreListener | null
}

export class Writer implements GroupWriter<Change> {
  readonly #tables: Tables
  readonly #memory: Memory
  readonly #texts: Texts
  readonly #ids: Ids
  readonly #records: RecordBuffer
  readonly #disk: GroupDisk
  readonly #events: EventLog
  readonly #listener: () => StoreListener | null
  #lastAccept: number
  #lastStart: number
  #lastBatch: number
  #lastKey: number
  #group: WriteGroup | null = null
  constructor(parts: WriterParts, last: LastNumbers) {
    const { tables, memory, texts, ids, records, disk } = parts
    this.#tables = tables
    this.#memory = memory
    this.#texts = texts
    this.#ids = ids
    this.#records = records
    this.#disk = disk
    this.#events = parts.events
    this.#listener = parts.listener
    this.#lastAccept = last.lastAccept
    this.#lastStart = last.lastStart
    this.#lastBatch = last.lastBatch
    this.#lastKey = last.lastKey
  }

  open(fill: () => void, first: Change): Written {
    return this.#disk.open(fill, doesTakeAway(first))
  }

  write(items: readonly Waiting<Change>[]): number {
    const group = emptyGroup(++this.#lastAccept, ++this.#lastStart)
    this.#group = group
    this.#events.begin()
    let taken = 0
    for (const { item } of items) {
      const takesAway = doesTakeAway(item)
      if (takesAway && taken > 0) break
      this.#plan(group, item)
      taken++
      if (takesAway) break
    }
    this.#records.begin()
    group.batches = packBatches(group.ended, this.#lastBatch + 1, this.#records, this.#memory.index)
    this.#lastBatch += group.batches.length
    writeGroup(this.#memory, this.#records, group)
    this.#events.write(this.#records)
    const isRelaxed = items.every((each) => each.isRelaxed)
    this.#disk.keep(this.#records.end(), { isLone: items.length === 1, isRelaxed }, (tables) => {
      putRemovals(tables, this.#memory, this.#texts, group)
      // Keys are given once, also where the last ones are removed. The others are in the records that are kept.
      part(tables.meta.put('lastKey', this.#lastKey))
    })
    return taken
  }

  onCommitted(items: readonly Waiting<Change>[]): void {
    this.#events.onCommitted(items)
    const group = this.#group!
    const memory = this.#memory
    const { index } = memory
    const held = group.accepted.reduce((sum, { tasks }) => sum + tasks.length, group.revived.length)
    if (held > 0) memory.accepts.set(group.accept, held)
    group.removals?.onCommitted(memory, this.#texts)
    for (const { tasks } of group.accepted) for (const task of tasks) memory.awaited.add(task, group.accept)
    for (const task of group.revived) {
      memory.awaited.add(task, group.accept)
      index.addUnfinished(task.key, hashOf(task.id), group.accept)
      index.hold(task)
    }
    for (const graph of group.over) memory.written.delete(graph.key)
    for (const accept of group.idleAccepts) memory.withGone.delete(accept)
    if (group.started.length > 0) {
      memory.starts.set(group.start, group.started.length)
      for (const task of group.started) {
        memory.releaseStart(task.key)
        memory.startOf.set(task.key, group.start)
      }
    }
    for (const task of group.endedAway) memory.releaseAway(task.key)
    for (const batch of group.batches) this.#noteFinished(batch)
    this.#group = null
  }

  /** The tasks of a batch lie there now, and do not need the records that they had. */
  #noteFinished({ number, heads }: Batch): void {
    const memory = this.#memory
    const { index } = memory
    let accept = 0
    let released = 0
    for (let at = 0; at < heads.count; at++) {
      const key = heads.key(at)
      // Tasks that came together mostly end together.
      if (index.accept(key) !== accept) {
        if (released > 0) memory.release(accept, released)
        accept = index.accept(key)
        released = 0
      }
      released++
      if (memory.startOf.size > 0) memory.releaseStart(key)
      index.setFinished(key, heads.hash(at), heads.code(at), number, heads.offset(at), heads.length(at))
    }
    memory.release(accept, released)
  }

  onKept(items: readonly Waiting<Change>[]): void {
    const listener = this.#listener()
    const { index, graphs, written } = this.#memory
    for (const { item } of items) {
      for (const task of item.ended ?? []) {
        const { graph } = task
        if (index.task(task.key) === task) index.drop(task.key)
        countEnded(graph.counts, task)
        if (isAllOver(graph.counts, graph.size) && !written.has(graph.key)) graphs.delete(graph.key)
      }
    }
    for (const { item } of items) if (item.ended !== undefined) listener?.onOver(item.ended)
  }

  /** Also what is relaxed: a number that was told must not be given again to another event after a power cut. */
  onSynced(items: readonly Waiting<Change>[]): void {
    if (this.#events.onSynced(items)) this.#listener()?.onEvents()
  }

  onFailed(): void {
    this.#events.onFailed()
    const group = this.#group
    if (group === null) return
    const memory = this.#memory
    // Those that were told go again, the others are taken back; revived ones are as they were.
    for (const { tasks } of group.accepted) for (const { key } of tasks) memory.index.setWaiting(key)
    for (const [counts, before] of group.countsBefore) Object.assign(counts, before)
    if (group.revived.length > 0) {
      const { key } = group.revived[0]!.graph
      memory.graphs.delete(key)
      memory.written.delete(key)
    }
    memory.idleAccepts.push(...group.idleAccepts)
    memory.idleStarts.push(...group.idleStarts)
    this.#group = null
  }

  #plan(group: WriteGroup, item: Change): void {
    const { index } = this.#memory
    for (const id of item.removed ?? []) this.#remove(group, this.#ids.keyOf(id))
    for (const key of item.removedKeys ?? []) this.#remove(group, key)
    for (const graphKey of item.removedGraphs ?? []) this.#removals(group).removeGraph(graphKey, this.#memory)
    if (item.revived !== undefined) this.#revive(group, item.revived)
    if (item.accepted !== undefined) this.#accept(group, item.accepted, item.replaces === true)
    this.#events.add(item)
    if (item.firstAnswer !== undefined) group.answers.push(item.firstAnswer)
    // One whose record is gone needs no number, and nothing would let go of it.
    for (const task of item.started ?? [])
      if (!isOver(task.phase) && index.task(task.key) === task) group.started.push(task)
    if (item.ended !== undefined || item.notes !== undefined)
      this.#end(group, item.ended ?? [], item.notes ?? [])
  }

  #accept(group: WriteGroup, accepted: Acceptance, replaces: boolean): void {
    const { index } = this.#memory
    const { graph, tasks } = accepted
    for (const { id, key } of tasks) {
      if (replaces) this.#remove(group, this.#ids.keyOf(id))
      // At once, so that the same id later in this group is seen; taken back where the write fails.
      index.setUnfinished(key, group.accept)
    }
    group.accepted.push(accepted)
    this.#lastKey = Math.max(this.#lastKey, graph.key + tasks.length - 1)
  }

  #end(group: WriteGroup, ended: readonly Task[], notes: readonly TaskNote[]): void {
    const { index, written } = this.#memory
    let graph: Graph | null = null
    let counts: Counts | undefined
    let noted = 0
    for (let at = 0; at < ended.length; at++) {
      const task = ended[at]!
      if (noted < notes.length) noted = this.#events.addNotes(notes, noted, at)
      const hasRecord = index.task(task.key) === task
      // Written before, and come again because its sync was not confirmed.
      if (hasRecord && index.code(task.key) !== UNFINISHED) continue
      // The same of one that was removed before it was over.
      if (!hasRecord && !this.#memory.isAway(task.key)) continue
      this.#events.addEnded(task)
      if (hasRecord) group.ended.push(task)
      else group.endedAway.push(task)
      if (task.graph !== graph) {
        graph = task.graph
        counts = written.get(graph.key)
        if (counts !== undefined && !group.countsBefore.has(counts))
          group.countsBefore.set(counts, { ...counts })
      }
      if (counts === undefined) continue
      countEnded(counts, task)
      if (isAllOver(counts, graph.size)) group.over.push(graph)
    }
    this.#events.addNotes(notes, noted, ended.length)
  }

  /** Their records go, and they are counted as not over. */
  #revive(group: WriteGroup, tasks: readonly Task[]): void {
    const { index } = this.#memory
    // Others were removed since they were looked at.
    const revived = tasks.filter(({ key }) => statusOfCode(index.code(key)) !== null)
    if (revived.length === 0) return
    const { graph } = revived[0]!
    group.countsBefore.set(graph.counts, { ...graph.counts })
    for (const { key } of revived) {
      uncount(graph.counts, index.code(key))
      this.#remove(group, key)
    }
    group.revived = revived
    this.#memory.addGraph(graph)
  }

  #remove(group: WriteGroup, key: number): void {
    if (key >= 0) this.#removals(group).remove(key, this.#memory)
  }

  #removals(group: WriteGroup): Removals {
    group.removals ??= new Removals(this.#tables)
    return group.removals
  }
}

/** Whether a commit takes something away. */
const doesTakeAway = (item: Change): boolean =>
  item.replaces === true ||
  item.removed !== undefined ||
  item.removedKeys !== undefined ||
  item.removedGraphs !== undefined ||
  item.revived !== undefined

const isAllOver = (counts: Counts, size: number): boolean =>
  counts.success + counts.failed + counts.skipped >= size

const uncount = (counts: Counts, code: number): void => {
  const status = statusOfCode(code)
  if (status === null) return
  counts[status]--
  if (code === CODES.failed || code === CODES.skipped) counts.bad--
}
