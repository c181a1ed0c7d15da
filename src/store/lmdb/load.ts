/**
 * Reads what a database holds into an index and the tasks that are not over. Used at the start, and by the thread that
 * writes state.json.
 */
import { type Graph, newGraph } from '../../domain/graph-record.ts'
import type { Task } from '../../domain/task.ts'
import { type AcceptPart, decodeParts, decodeTask, keyInPart } from './accept-records.ts'
import type { Tables } from './database.ts'
import { Dependencies, type Origin } from './dependencies.ts'
import { graphWith } from './graph-records.ts'
import { CODES, Heads } from './heads.ts'
import { damaged } from './pages.ts'
import { applyStarts } from './starts.ts'
import { hashOf } from './hash-table.ts'
import { TaskIndex, UNFINISHED } from './task-index.ts'

export interface Loaded {
  readonly index: TaskIndex
  /** Oldest first. */
  readonly unfinished: readonly Task[]
  readonly dependencies: Dependencies
  /** Of these, those that an attempt of has begun. */
  readonly begun: readonly Task[]
  /** Over without a record that says so: what was under way of them was removed before a crash. */
  readonly overGraphs: readonly Graph[]
  /** How many tasks of each accept record are not over. */
  readonly acceptsAlive: Map<number, number>
  /** Those of which a task was removed. */
  readonly withGone: Set<number>
  /** Records that nothing needs any more: a crash came before they were removed. */
  readonly garbage: { readonly accepts: number[]; readonly starts: number[]; readonly batches: number[] }
  readonly lastAccept: number
  readonly lastStart: number
  readonly lastBatch: number
  readonly lastKey: number
}

/**
 * @param noted the attempts of start-notes.ts
 * @param index an empty one
 */
export const load = (tables: Tables, noted = new Float64Array(0), index = new TaskIndex()): Loaded => {
  const garbage = { accepts: [] as number[], starts: [] as number[], batches: [] as number[] }
  let lastKey = Number(tables.meta.get('lastKey') ?? 0)
  let lastBatch = 0
  for (const { key: batch, value } of tables.heads.getRange({})) {
    lastBatch = Math.max(lastBatch, batch)
    const heads = Heads.from(value)
    if (!heads.isSound) throw damaged(`the heads of batch ${batch} are not what was written`)
    let live = 0
    for (let at = 0; at < heads.count; at++) {
      const code = heads.code(at)
      const key = heads.key(at)
      lastKey = Math.max(lastKey, key)
      if (code === CODES.removed) continue
      live++
      index.setFinished(key, heads.hash(at), code, batch, heads.offset(at), heads.length(at))
    }
    if (live === 0) garbage.batches.push(batch)
  }

  const gone = new Map<string, number>()
  const withGone = new Set<number>()
  for (const { key: at, value: code } of tables.gone.getRange({})) {
    const [accept, key] = at as [number, number]
    gone.set(`${accept}:${key}`, code)
    withGone.add(accept)
  }
  /** How the tasks had ended whose records are gone. */
  const goneCodes = new Map<number, number>()
  const byKey = new Map<number, Origin>()
  const acceptsAlive = new Map<number, number>()
  const parts = new Map<number, AcceptPart>()
  let lastAccept = 0
  for (const { key: accept, value } of tables.accepts.getRange({})) {
    lastAccept = Math.max(lastAccept, accept)
    let alive = 0
    for (const part of decodeParts(value.toString('utf8'))) {
      parts.set(part.g, part)
      for (let place = 0; place < part.t.length; place++) {
        const key = keyInPart(part, place)
        lastKey = Math.max(lastKey, key)
        const goneCode = gone.get(`${accept}:${key}`)
        if (goneCode !== undefined) {
          goneCodes.set(key, goneCode)
          continue
        }
        if (isFinished(index.code(key))) {
          // Should its record go while this one stays, it has to be noted as gone.
          index.setAccept(key, accept)
          continue
        }
        const earlier = byKey.get(key)
        if (earlier !== undefined) release(acceptsAlive, earlier.accept, garbage.accepts)
        byKey.set(key, { part, place, accept })
        index.addUnfinished(key, hashOf(part.t[place]![0]), accept)
        alive++
      }
    }
    if (alive === 0) garbage.accepts.push(accept)
    else acceptsAlive.set(accept, alive)
  }

  const unfinished = unfinishedTasks(byKey, index, goneCodes)
  for (const task of unfinished) parts.delete(task.graph.key)
  const overGraphs = [...parts.values()]
    .filter((part) => graphWith(tables, part.g) === null)
    .map((part) => overGraph(part, index, goneCodes))
    .filter((graph) => graph !== null)
  let lastStart = 0
  const tasks = new Map(unfinished.map((task) => [task.key, task]))
  for (const { key: start, value } of tables.starts.getRange({})) {
    lastStart = Math.max(lastStart, start)
    const { buffer, byteOffset, byteLength } = value
    applyStarts(new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength)), tasks)
    // The attempts are in the tasks now, and go into a record of their own again when the next ones begin.
    garbage.starts.push(start)
  }
  applyStarts(noted, tasks)
  const begun = unfinished.filter((task) => task.attempt > 0 || task.failures > 0)
  return {
    index,
    unfinished,
    dependencies: new Dependencies(index, byKey, gone),
    begun,
    overGraphs,
    acceptsAlive,
    withGone,
    garbage,
    lastAccept,
    lastStart,
    lastBatch,
    lastKey,
  }
}

const isFinished = (code: number): boolean => code !== 0 && code !== UNFINISHED

const release = (alive: Map<number, number>, record: number, garbage: number[]): void => {
  const left = (alive.get(record) ?? 0) - 1
  if (left > 0) alive.set(record, left)
  else {
    alive.delete(record)
    garbage.push(record)
  }
}

/** The tasks, oldest first, with the graphs that they belong to and how far those are. */
const unfinishedTasks = (
  byKey: ReadonlyMap<number, { readonly part: AcceptPart; readonly place: number }>,
  index: TaskIndex,
  goneCodes: ReadonlyMap<number, number>,
): Task[] => {
  const graphs = new Map<number, Graph>()
  const tasks: Task[] = []
  for (const key of [...byKey.keys()].sort((a, b) => a - b)) {
    const { part, place } = byKey.get(key)!
    let graph = graphs.get(part.g)
    if (graph === undefined) {
      graph = newGraph(part.g, part.n, part.at, part.r === 1, part.tp)
      countFinished(graph, index, goneCodes)
      graphs.set(part.g, graph)
    }
    tasks.push(decodeTask(part, place, graph))
  }
  for (const graph of graphs.values()) graph.unfinished = 0
  for (const task of tasks) task.graph.unfinished++
  return tasks
}

/** A graph that is over, `null` where nothing is left of it. */
const overGraph = (
  part: AcceptPart,
  index: TaskIndex,
  goneCodes: ReadonlyMap<number, number>,
): Graph | null => {
  const graph = newGraph(part.g, part.n, part.at, part.r === 1, part.tp)
  let isLeft = false
  for (let key = part.g; key < part.g + part.n; key++) isLeft ||= index.code(key) !== 0
  if (!isLeft) return null
  countFinished(graph, index, goneCodes)
  graph.unfinished = 0
  graph.finishedMs = part.at
  return graph
}

/**
 * A graph under way is counted once, at the start; from then on its counts are kept up. A task whose record was removed
 * counts as it ended; one that had not ended by the crash never will, and is skipped.
 */
const countFinished = (graph: Graph, index: TaskIndex, goneCodes: ReadonlyMap<number, number>): void => {
  const { counts } = graph
  for (let key = graph.key; key < graph.key + graph.size; key++) {
    const code = index.code(key)
    if (code === UNFINISHED) continue
    switch (code === 0 ? goneCodes.get(key) : code) {
      case CODES.success:
        counts.success++
        break
      case CODES.failed:
        counts.failed++
        counts.bad++
        break
      case CODES.failedAllowed:
        counts.failed++
        break
      case CODES.skipped:
        counts.skipped++
        counts.bad++
        break
      default:
        counts.skipped++
        break
    }
  }
}
