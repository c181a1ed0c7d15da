/** The thread that writes `state.json`: reads one moment of the database, task by task, and ends. */
import { workerData } from 'node:worker_threads'
import { liveTaskJson } from '../../domain/task-json.ts'
import { saveState } from '../state-json.ts'
import { textIn } from './batches.ts'
import { openTables } from './database.ts'
import { load } from './load.ts'
import type { SnapshotRequest } from './snapshot-writer.ts'

const { dataDir, databasePath } = workerData as SnapshotRequest
const tables = openTables(databasePath)

/** The JSON string right behind `{"id":`. */
const idIn = (text: string): string => {
  let at = 7
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return JSON.parse(text.slice(6, at + 1)) as string
}

function* entries(): Iterable<readonly [string, string]> {
  const { index, unfinished } = load(tables)
  const byKey = new Map(unfinished.map((task) => [task.key, task]))
  let batch = -1
  let payload: Buffer | undefined
  for (const key of index.keys()) {
    const task = byKey.get(key)
    if (task !== undefined) {
      yield [task.id, liveTaskJson(task)]
      continue
    }
    const place = index.place(key)
    if (place === null) continue
    if (place.batch !== batch) {
      batch = place.batch
      payload = tables.batches.getBinary(batch)
    }
    // Removed since this thread looked.
    if (payload === undefined) continue
    const text = textIn(payload, place.offset, place.length)
    yield [idIn(text), text]
  }
}

saveState(dataDir, entries())
  .finally(() => tables.root.close())
  .catch((error: unknown) => {
    // Seen by the main thread as the thread's own end.
    setImmediate(() => {
      throw error
    })
  })
