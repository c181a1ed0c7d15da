/**
 * The records of a `state.json` as the memory store holds them: put back into their graphs by `graph_id`. Keys are not
 * in the file: a graph's tasks get the graph's and those after it, in their order.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type DependencyEnd, NOT_NEEDED } from '../domain/dependency.ts'
import { type Graph, graphIdOf, keyOfGraphId, newGraph } from '../domain/graph-record.ts'
import { type JsonObject, isJsonObject } from '../domain/json.ts'
import { type Task, keyOfHandle } from '../domain/task.ts'
import { endOfRecord, recordStatus, unfinishedTask } from '../domain/task-from-json.ts'
import { parseRfc3339 } from '../domain/time.ts'
import { membersOf } from './json-members.ts'

/** A task that is over. */
export interface Finished {
  readonly key: number
  readonly graph: Graph
  readonly json: string
  readonly end: DependencyEnd
  readonly isBad: boolean
}

export interface LoadedRecords {
  /** In the order of the file. */
  readonly records: readonly (readonly [id: string, Task | Finished])[]
  readonly lastKey: number
}

interface Row {
  readonly id: string
  readonly value: JsonObject
}

/** Reads `state.json` of a data directory; an absent or empty file holds nothing, a damaged one is an error. */
export const loadRecords = async (dataDir: string, nowMs: number): Promise<LoadedRecords> => {
  const path = join(dataDir, 'state.json')
  const groups = new Map<number, Row[]>()
  const alone: Row[] = []
  const order: string[] = []
  let lastKey = 0
  if ((await sizeOf(path)) > 0) {
    for await (const [id, value] of membersOf(createReadStream(path), path)) {
      if (!isJsonObject(value)) throw new Error(`${path}: task ${JSON.stringify(id)} is not an object`)
      order.push(id)
      const graphKey = keyOfGraphId(String(value['graph_id'] ?? ''))
      const group = groups.get(graphKey)
      if (graphKey < 0) alone.push({ id, value })
      else if (group === undefined) groups.set(graphKey, [{ id, value }])
      else group.push({ id, value })
      lastKey = Math.max(lastKey, keyOfHandle(String(value['handle_id'] ?? '')))
    }
  }
  for (const [key, rows] of groups) lastKey = Math.max(lastKey, key + rows.length - 1)
  for (const row of alone) groups.set(++lastKey, [row])
  const found = new Map<string, Task | Finished>()
  for (const [key, rows] of groups) readGraph(key, rows, nowMs, found)
  return { records: order.map((id) => [id, found.get(id)!]), lastKey }
}

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

const readGraph = (
  key: number,
  rows: readonly Row[],
  nowMs: number,
  found: Map<string, Task | Finished>,
): void => {
  const createdMs = timeIn(rows[0]!.value, 'created_at') || nowMs
  const graph = newGraph(key, rows.length, createdMs, false)
  const { counts } = graph
  const hasBadFailure = rows.some(
    ({ value }) => recordStatus(value) === 'failed' && endOfRecord(value) === 'failed',
  )
  for (const [at, { id, value }] of rows.entries()) {
    const status = recordStatus(value)
    if (status === 'pending') {
      found.set(id, unfinishedTask(id, value, key + at, nowMs, graph))
      continue
    }
    const end = endOfRecord(value)
    const isBad = end === 'failed' || (end === 'skipped' && isBadSkip(value, hasBadFailure))
    counts[status]++
    if (isBad) counts.bad++
    graph.unfinished--
    graph.finishedMs = Math.max(graph.finishedMs, timeIn(value, 'updated_at') || nowMs)
    value['graph_id'] = graphIdOf(key)
    found.set(id, { key: key + at, graph, json: JSON.stringify(value), end, isBad })
  }
  if (graph.unfinished > 0) graph.finishedMs = 0
}

/** Skipped behind a failure, or behind a record that is gone: the file does not say which, the graph does. */
const isBadSkip = (value: JsonObject, hasBadFailure: boolean): boolean =>
  value['error'] !== NOT_NEEDED && (hasBadFailure || String(value['error']).endsWith(' deleted'))

const timeIn = (value: JsonObject, name: string): number => parseRfc3339(String(value[name] ?? ''))
