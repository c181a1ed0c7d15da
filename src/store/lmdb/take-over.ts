/**
 * The first start on a data directory: what another server of this API left in `state.json` becomes records of the
 * database, in one transaction. From then on the database is the truth, and `state.json` a copy for others.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Graph, newGraph } from '../../domain/graph-record.ts'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import { recordStatus, unfinishedTask } from '../../domain/task-from-json.ts'
import { parseRfc3339 } from '../../domain/time.ts'
import { membersOf } from '../json-members.ts'
import { writePart } from './accept-records.ts'
import { FORMAT, OLDEST_FORMAT, type Tables } from './database.ts'
import { putGraphSync } from './graph-records.ts'
import { CODES, Heads } from './heads.ts'
import { hashOf } from './hash-table.ts'

const STATE = 'state.json'
/** About 32 KiB, as the batches that are written later. */
const BATCH_TASKS = 50

interface Kept {
  readonly id: string
  readonly record: JsonObject
  readonly createdMs: number
}

/** Prepares a new database, or one of an older version; refuses one that a newer version wrote. */
export const takeOver = async (
  tables: Tables,
  dataDir: string,
  path: string,
  nowMs: number,
): Promise<void> => {
  const format = tables.meta.get('format')
  if (format === FORMAT) return
  if (format !== undefined) {
    if (typeof format === 'number' && format >= OLDEST_FORMAT && format < FORMAT) {
      tables.root.transactionSync(() => tables.meta.putSync('format', FORMAT))
      return
    }
    throw new Error(
      `${path} has format ${String(format)}, this version reads ${FORMAT}: start the version that wrote it, or a later one`,
    )
  }
  if (hasRecords(tables))
    throw new Error(`${path} is damaged: it has records, and nothing says of which format`)
  const kept = await readState(join(dataDir, STATE), nowMs)
  tables.root.transactionSync(() => {
    if (kept.length > 0) putAll(tables, kept, nowMs)
    tables.meta.putSync('lastKey', kept.length)
    tables.meta.putSync('id', randomUUID())
    tables.meta.putSync('format', FORMAT)
  })
}

const hasRecords = ({ accepts, heads, batches }: Tables): boolean =>
  [accepts, heads, batches].some((table) => [...table.getKeys({ limit: 1 })].length > 0)

const readState = async (path: string, nowMs: number): Promise<Kept[]> => {
  const size = await stat(path).then(
    (found) => found.size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return 0
      throw error
    },
  )
  if (size === 0) return []
  const kept: Kept[] = []
  for await (const [id, record] of membersOf(createReadStream(path), path)) {
    if (!isJsonObject(record)) throw new Error(`${path}: task ${JSON.stringify(id)} is not an object`)
    const created = record['created_at']
    kept.push({ id, record, createdMs: (typeof created === 'string' && parseRfc3339(created)) || nowMs })
  }
  return kept.sort((a, b) => a.createdMs - b.createdMs)
}

/** Each task becomes a graph of its own: the original knew no other. */
const putAll = (tables: Tables, kept: readonly Kept[], nowMs: number): void => {
  const parts: string[] = []
  const finished: { readonly key: number; readonly kept: Kept; readonly code: number }[] = []
  kept.forEach((each, at) => {
    const key = at + 1
    const { id, record, createdMs } = each
    const status = recordStatus(record)
    const graph = newGraph(key, 1, createdMs, false)
    const handle = record['handle_id']
    if (typeof handle === 'string') tables.handles.putSync(handle, key)
    if (status === 'pending') {
      const task = unfinishedTask(id, record, key, nowMs, graph)
      parts.push(partOf(graph, task))
    } else {
      finished.push({ key, kept: each, code: CODES[status] })
      putGraph(tables, graph, status)
    }
  })
  if (parts.length > 0) tables.accepts.putSync(1, Buffer.from(`[${parts.join(',')}]`))
  for (let from = 0; from < finished.length; from += BATCH_TASKS) {
    const tasks = finished.slice(from, from + BATCH_TASKS)
    const texts = tasks.map(({ key, kept: { id, record } }) => Buffer.from(textOf(id, key, record)))
    const heads = Heads.make(tasks.length)
    let offset = 0
    tasks.forEach(({ key, kept: { id, record, createdMs }, code }, at) => {
      const updated = record['updated_at']
      const finishedMs = (typeof updated === 'string' && parseRfc3339(updated)) || createdMs
      heads.set(at, key, finishedMs, key, offset, texts[at]!.length, hashOf(id), code)
      offset += texts[at]!.length
    })
    const number = from / BATCH_TASKS + 1
    tables.batches.putSync(number, Buffer.concat(texts))
    tables.heads.putSync(number, heads.bytes)
  }
}

const partOf = (graph: Graph, task: Task): string => {
  let part = ''
  writePart({ write: (text) => (part += text) }, graph, [task], false)
  return part
}

/** The record as it was, with its id in front, where it is looked for: names that are numbers would come before it. */
const textOf = (id: string, key: number, record: JsonObject): string => {
  const { id: _, ...rest } = record
  return `{"id":${JSON.stringify(id)},${JSON.stringify({ graph_id: `g-${key}`, ...rest }).slice(1)}`
}

const putGraph = (tables: Tables, graph: Graph, status: 'success' | 'failed' | 'skipped'): void => {
  const { counts } = graph
  counts[status]++
  if (status !== 'success') counts.bad++
  graph.finishedMs = graph.createdMs
  putGraphSync(tables, graph)
}
