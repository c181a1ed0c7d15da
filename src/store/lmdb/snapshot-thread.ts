/** The thread that writes `state.json`: reads one moment of the database, task by task, and ends. */
import { workerData } from 'node:worker_threads'
import { liveTaskJson } from '../../domain/task-json.ts'
import { saveText } from '../state-json.ts'
import { writeMember } from './batches.ts'
import { openTables } from './database.ts'
import { load } from './load.ts'
import { Piece } from './piece.ts'
import type { SnapshotRequest } from './snapshot-writer.ts'
import { TaskIndex } from './task-index.ts'

const { dataDir, databasePath } = workerData as SnapshotRequest
const tables = openTables(databasePath)
const FIRST = Buffer.from('{\n')
const NEXT = Buffer.from(',\n')
const LAST = Buffer.from('\n}\n')
const EMPTY = Buffer.from('{\n}\n')

/** The file's text, of members as they lie in the database: a string of each would cost five times as much. */
function* pieces(): Iterable<Buffer> {
  const { index, unfinished } = load(tables, undefined, new TaskIndex(true))
  const byKey = new Map(unfinished.map((task) => [task.key, task]))
  const piece = new Piece()
  let separator = FIRST
  let batch = -1
  let payload: Buffer | undefined
  for (const key of index.keys()) {
    const task = byKey.get(key)
    const place = task === undefined ? index.place(key) : null
    if (place !== null && place.batch !== batch) {
      batch = place.batch
      payload = tables.batches.getBinary(batch)
    }
    if (task !== undefined) {
      piece.write(separator)
      piece.write(Buffer.from(`${JSON.stringify(task.id)}:${liveTaskJson(task)}`))
    } else if (place !== null && payload !== undefined) {
      piece.write(separator)
      writeMember(piece, payload, place.offset, place.length)
    }
    // Removed since this thread looked.
    else continue
    separator = NEXT
    if (piece.isFull) yield piece.take()
  }
  piece.write(separator === FIRST ? EMPTY : LAST)
  yield piece.take()
}

saveText(dataDir, pieces())
  .finally(() => tables.root.close())
  .catch((error: unknown) => {
    // Seen by the main thread as the thread's own end.
    setImmediate(() => {
      throw error
    })
  })
