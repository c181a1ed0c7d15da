/**
 * The records of graphs that are over. Those that end together and whose keys follow one another share an entry, under the
 * key of the first: most of many small graphs do.
 *
 * ```
 * key 7 ─► [[createdMs, size, …], [createdMs, size, …], …]     the graphs 7, 7 + size of it, …
 * ```
 *
 * What was written before format 3 is an object: one graph. No two entries say something of the same graph.
 */
import { type Counts, type Graph, newGraph } from '../../domain/graph-record.ts'
import { part, type Tables } from './database.ts'
import type { RecordBuffer } from './record-buffer.ts'

/** Reading one graph reads its whole entry. */
const MOST_TOGETHER = 64

type GraphRecord = readonly [
  createdMs: number,
  size: number,
  isRelaxed: 0 | 1,
  finishedMs: number,
  success: number,
  failed: number,
  skipped: number,
  bad: number,
]

const recordOf = ({ createdMs, size, isRelaxed, finishedMs }: Graph, counts: Counts): GraphRecord => [
  createdMs,
  size,
  isRelaxed ? 1 : 0,
  finishedMs,
  counts.success,
  counts.failed,
  counts.skipped,
  counts.bad,
]

/** Writes the graphs that a group of commits ends, each with its counts as of what is written. */
export const writeGraphs = (
  records: RecordBuffer,
  over: readonly Graph[],
  countsOf: ReadonlyMap<number, Counts>,
): void => {
  const graphs = over.length > 1 ? [...over].sort((a, b) => a.key - b.key) : over
  for (let at = 0; at < graphs.length; ) {
    let { key: next } = graphs[at]!
    records.open('graphs', next)
    let separator = '['
    for (let count = 0; count < MOST_TOGETHER && graphs[at]?.key === next; count++, at++) {
      const graph = graphs[at]!
      records.write(`${separator}[${recordOf(graph, countsOf.get(graph.key)!).join(',')}]`)
      separator = ','
      next += graph.size
    }
    records.write(']')
    records.close()
  }
}

/** Writes one graph. */
export const putGraphSync = (tables: Tables, graph: Graph): void => {
  tables.graphs.putSync(graph.key, [recordOf(graph, graph.counts)])
}

/** The graphs of an entry, in the order of their keys. */
export const graphsIn = (firstKey: number, value: unknown): Graph[] => {
  let key = firstKey
  return recordsIn(value).map((record) => {
    const [createdMs, size, isRelaxed, finishedMs, success, failed, skipped, bad] = record
    const graph = newGraph(key, size, createdMs, isRelaxed === 1)
    Object.assign(graph.counts, { success, failed, skipped, bad })
    graph.unfinished = 0
    graph.finishedMs = finishedMs
    key += size
    return graph
  })
}

const recordsIn = (value: unknown): readonly GraphRecord[] => {
  if (Array.isArray(value)) return value as readonly GraphRecord[]
  const graph = value as Graph
  return [recordOf(graph, graph.counts)]
}

/** The graph with this key, where an entry is the one that may have it. */
export const graphIn = (firstKey: number, value: unknown, key: number): Graph | null =>
  graphsIn(firstKey, value).find((graph) => graph.key === key) ?? null

interface GraphsEntry {
  readonly key: number
  readonly value: unknown
}

/** The entry that may have this graph. */
const entryFor = ({ graphs }: Tables, key: number): GraphsEntry | null => {
  for (const entry of graphs.getRange({ start: key, end: 0, reverse: true, limit: 1 })) return entry
  return null
}

/** The graph with this key, where it is over and its record is there. */
export const graphWith = (tables: Tables, key: number): Graph | null => {
  const entry = entryFor(tables, key)
  return entry === null ? null : graphIn(entry.key, entry.value, key)
}

/** Removes the records of these graphs, within a transaction: what was together with them is parted. */
export const removeGraphs = (tables: Tables, keys: readonly number[]): void => {
  const gone = new Set(keys)
  const entries = new Map<number, unknown>()
  for (const key of keys) {
    const entry = entryFor(tables, key)
    if (entry !== null) entries.set(entry.key, entry.value)
  }
  for (const [first, value] of entries) {
    const left = new Map<number, GraphRecord[]>()
    let key = first
    let run: GraphRecord[] | null = null
    for (const record of recordsIn(value)) {
      if (gone.has(key)) run = null
      else if (run !== null) run.push(record)
      else {
        run = [record]
        left.set(key, run)
      }
      key += record[1]
    }
    if (!left.has(first)) part(tables.graphs.remove(first))
    for (const [from, records] of left) part(tables.graphs.put(from, records))
  }
}
