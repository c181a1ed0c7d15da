/**
 * Turns a group of commits into one transaction, and what it says into memory once it is written.
 *
 * Most commits only add: graphs that were accepted, tasks that began, tasks that are over. Those share a group. One
 * that takes something away (a replaced id, a deletion, a retry) has a group of its own, so that it finds all that came
 * before it written.
 */
import { type Counts, countEnded } from '../../domain/graph-record.ts'
import { isOver } from '../../domain/lifecycle.ts'
import type { Task } from '../../domain/task.ts'
import { packBatches } from './batches.ts'
import { part, type Tables } from './database.ts'
import type { GroupWriter, Waiting, Written } from './group-commit.ts'
import { CODES, statusOfCode } from './heads.ts'
import type { Memory } from './memory.ts'
import { Removals } from './removals.ts'
import { UNFINISHED, hashOf } from './task-index.ts'
import { type Texts, isTextOf } from './texts.ts'
import { type Change, type WriteGroup, emptyGroup, putGroup } from './write-group.ts'

export class Writer implements GroupWriter<Change> {
  readonly #tables: Tables
  readonly #memory: Memory
  readonly #texts: Texts
  #lastAccept: number
  #lastStart: number
  #lastBatch: number
  #lastKey: number
  #group: WriteGroup | null = null

  constructor(
    tables: Tables,
    memory: Memory,
    texts: Texts,
    last: {
      readonly lastAccept: number
      readonly lastStart: number
      readonly lastBatch: number
      readonly lastKey: number
    },
  ) {
    this.#tables = tables
    this.#memory = memory
    this.#texts = texts
    this.#lastAccept = last.lastAccept
    this.#lastStart = last.lastStart
    this.#lastBatch = last.lastBatch
    this.#lastKey = last.lastKey
  }

  write(items: readonly Waiting<Change>[]): { taken: number; written: Written } {
    const group = emptyGroup(++this.#lastAccept, ++this.#lastStart)
    this.#group = group
    let taken = 0
    for (const { item } of items) {
      const takesAway = this.#takesAway(item)
      if (takesAway && taken > 0) break
      this.#plan(group, item)
      taken++
      if (takesAway) break
    }
    const taking = items.slice(0, taken)
    group.batches = packBatches(group.ended).map((batch) => ({ number: ++this.#lastBatch, batch }))
    let flushed: Promise<unknown> = Promise.resolve()
    const committed = this.#tables.root.batch(() => {
      putGroup(this.#tables, this.#memory, this.#texts, group, taking)
      this.#putLastKey(group)
    }) as Promise<boolean> & { flushed?: Promise<unknown> }
    flushed = committed.flushed ?? this.#tables.root.flushed
    return { taken, written: { committed, flushed } }
  }

  onCommitted(): void {
    const group = this.#group!
    const memory = this.#memory
    if (group.added.length > 0) memory.accepts.set(group.accept, group.added.length)
    group.removals?.onCommitted(memory, this.#texts)
    for (const task of group.added) {
      memory.awaited.add(task, group.accept)
      // A revived one; an accepted one is there already.
      if (memory.byKey.get(task.key) !== task) {
        memory.index.addUnfinished(task.key, hashOf(task.id), group.accept)
        memory.byKey.set(task.key, task)
        memory.live.set(task.id, task)
      }
    }
    for (const graph of group.over) memory.written.delete(graph.key)
    if (group.started.length > 0) {
      memory.starts.set(group.start, group.started.length)
      for (const task of group.started) {
        memory.releaseStart(task.key)
        memory.startOf.set(task.key, group.start)
      }
    }
    for (const task of group.endedAway) memory.releaseAway(task.key)
    for (const { number, batch } of group.batches) {
      const { heads, tasks } = batch
      for (let at = 0; at < tasks.length; at++) {
        const key = heads.key(at)
        memory.release(key)
        memory.index.setFinished(
          key,
          heads.hash(at),
          heads.code(at),
          number,
          heads.offset(at),
          heads.length(at),
        )
      }
    }
  }

  onKept(items: readonly Waiting<Change>[]): void {
    const memory = this.#memory
    for (const { item } of items) {
      for (const task of item.ended ?? []) {
        if (memory.live.get(task.id) === task) memory.live.delete(task.id)
        memory.byKey.delete(task.key)
        const { graph } = task
        countEnded(graph.counts, task)
        if (isAllOver(graph.counts, graph.size) && !memory.written.has(graph.key))
          memory.graphs.delete(graph.key)
      }
    }
  }

  onFailed(): void {
    const group = this.#group
    if (group === null) return
    group.removals?.onFailed(this.#texts)
    for (const task of group.added) {
      // A revived one is as it was.
      if (group.removals?.has(task.key) === true) continue
      this.#memory.index.remove(task.key)
      this.#memory.byKey.delete(task.key)
      this.#memory.graphs.delete(task.graph.key)
      this.#memory.written.delete(task.graph.key)
    }
    for (const [counts, before] of group.countsBefore) Object.assign(counts, before)
    if (group.revived !== null) {
      this.#memory.graphs.delete(group.revived.key)
      this.#memory.written.delete(group.revived.key)
    }
    this.#memory.idleAccepts.push(...group.idleAccepts)
    this.#memory.idleStarts.push(...group.idleStarts)
  }

  /** The key of the record that an id has now, -1 for none: also one that is being written. */
  keyOf(id: string, hash = hashOf(id)): number {
    const { index, byKey } = this.#memory
    if (!index.has(hash)) return -1
    for (const key of index.candidates(hash)) {
      const task = byKey.get(key)
      if (task !== undefined ? task.id === id : this.#isTextOf(key, id)) return key
    }
    return -1
  }

  #isTextOf(key: number, id: string): boolean {
    const place = this.#memory.index.place(key)
    return place !== null && isTextOf(this.#texts.read(place), id)
  }

  #takesAway(item: Change): boolean {
    if (item.removed !== undefined || item.removedKeys !== undefined) return true
    if (item.removedGraphs !== undefined || item.revived !== undefined) return true
    return item.accepted?.tasks.some((task) => this.keyOf(task.id) >= 0) ?? false
  }

  #plan(group: WriteGroup, item: Change): void {
    const memory = this.#memory
    if (item.removed !== undefined) {
      for (const id of item.removed) this.#remove(group, this.keyOf(id))
    }
    for (const key of item.removedKeys ?? []) this.#remove(group, key)
    for (const graphKey of item.removedGraphs ?? []) this.#removals(group).removeGraph(graphKey, memory)
    if (item.revived !== undefined && item.revived.length > 0) this.#revive(group, item.revived)
    if (item.accepted !== undefined) {
      const { graph, tasks } = item.accepted
      memory.addGraph(graph)
      for (const task of tasks) {
        const hash = hashOf(task.id)
        this.#remove(group, this.keyOf(task.id, hash))
        // At once, so that the same id later in this group is seen; taken back where the write fails.
        memory.index.addUnfinished(task.key, hash, group.accept)
        memory.byKey.set(task.key, task)
        group.added.push(task)
      }
    }
    // One whose record is gone needs no number, and nothing would let go of it.
    for (const task of item.started ?? [])
      if (!isOver(task.phase) && memory.byKey.get(task.key) === task) group.started.push(task)
    for (const task of item.ended ?? []) {
      const hasRecord = memory.byKey.get(task.key) === task
      // Written before, and come again because its sync was not confirmed.
      if (hasRecord && memory.index.code(task.key) !== UNFINISHED) continue
      if (hasRecord) group.ended.push(task)
      else group.endedAway.push(task)
      const counts = memory.written.get(task.graph.key)
      if (counts === undefined) continue
      if (!group.countsBefore.has(counts)) group.countsBefore.set(counts, { ...counts })
      countEnded(counts, task)
      if (isAllOver(counts, task.graph.size)) group.over.push(task.graph)
    }
  }

  /** Their records go, and they are counted as not over. */
  #revive(group: WriteGroup, tasks: readonly Task[]): void {
    const { graph } = tasks[0]!
    group.countsBefore.set(graph.counts, { ...graph.counts })
    for (const task of tasks) {
      const code = this.#memory.index.code(task.key)
      // Removed since it was looked at.
      if (statusOfCode(code) === null) continue
      uncount(graph.counts, code)
      this.#remove(group, task.key)
      group.added.push(task)
    }
    if (group.added.length === 0) return
    group.revived = graph
    this.#memory.addGraph(graph)
  }

  #remove(group: WriteGroup, key: number): void {
    if (key >= 0) this.#removals(group).remove(key, this.#memory)
  }

  /** Keys are given once, also where the last ones were removed. */
  #putLastKey(group: WriteGroup): void {
    const lastKey = group.added.reduce((last, task) => Math.max(last, task.key), this.#lastKey)
    if (lastKey === this.#lastKey) return
    this.#lastKey = lastKey
    part(this.#tables.meta.put('lastKey', lastKey))
  }

  #removals(group: WriteGroup): Removals {
    group.removals ??= new Removals(this.#tables)
    return group.removals
  }
}

const isAllOver = (counts: Counts, size: number): boolean =>
  counts.success + counts.failed + counts.skipped >= size

const uncount = (counts: Counts, code: number): void => {
  const status = statusOfCode(code)
  if (status === null) return
  counts[status]--
  if (code === CODES.failed || code === CODES.skipped) counts.bad--
}
