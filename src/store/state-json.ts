/**
 * `state.json`: an object of tasks by id, in the shape that GET answers. Written and read in pieces, so that its size
 * is bounded by the disk and not by the longest string; written to a temporary file, synced, renamed.
 * @see contract A6
 */
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isJsonObject } from '../domain/json.ts'
import { recordStatus, unfinishedTask } from '../domain/task-from-json.ts'
import type { Task } from '../domain/task.ts'
import { membersOf } from './json-members.ts'

const FILE = 'state.json'
const PIECE_CHARS = 256 * 1024

/** What a state file holds. */
export interface LoadedState {
  /** Text of each finished task by id. */
  readonly finished: ReadonlyMap<string, string>
  readonly unfinished: readonly { readonly task: Task }[]
  /** How each finished task ended. */
  readonly statuses: ReadonlyMap<string, 'success' | 'failed' | 'skipped'>
  /** Handle → id. */
  readonly handles: ReadonlyMap<string, string>
}

/** Reads the state of a data directory; an absent or empty file is an empty state, a damaged one an error. */
export const loadState = async (dataDir: string, nowMs: number): Promise<LoadedState> => {
  const finished = new Map<string, string>()
  const unfinished: { task: Task }[] = []
  const statuses = new Map<string, 'success' | 'failed' | 'skipped'>()
  const handles = new Map<string, string>()
  const path = join(dataDir, FILE)
  const size = await stat(path).then((found) => found.size, ignoreAbsent)
  let key = nowMs * 1000
  if (size > 0) {
    for await (const [id, value] of membersOf(createReadStream(path), path)) {
      if (!isJsonObject(value)) throw new Error(`${path}: task ${JSON.stringify(id)} is not an object`)
      const status = recordStatus(value)
      if (typeof value['handle_id'] === 'string') handles.set(value['handle_id'], id)
      if (status === 'pending') {
        const task = unfinishedTask(id, value, key++, nowMs)
        if (task.handleId !== '') handles.set(task.handleId, id)
        unfinished.push({ task })
      } else {
        finished.set(id, JSON.stringify(value))
        statuses.set(id, status)
      }
    }
  }
  unfinished.sort((a, b) => a.task.createdMs - b.task.createdMs || a.task.key - b.task.key)
  return { finished, unfinished, statuses, handles }
}

const ignoreAbsent = (error: NodeJS.ErrnoException): number => {
  if (error.code === 'ENOENT') return 0
  throw error
}

/** Puts `entries` (id, JSON text) in the place of the state file, whole or not at all. */
export const saveState = (dataDir: string, entries: Iterable<readonly [string, string]>): Promise<void> =>
  saveText(dataDir, textOf(entries))

function* textOf(entries: Iterable<readonly [string, string]>): Iterable<string> {
  let piece = '{'
  let separator = '\n'
  for (const [id, json] of entries) {
    piece += `${separator}${JSON.stringify(id)}:${json}`
    separator = ',\n'
    if (piece.length >= PIECE_CHARS) {
      yield piece
      piece = ''
    }
  }
  yield `${piece}\n}\n`
}

/** Puts a text in the place of the state file, whole or not at all. A piece of it is written before the next is asked for. */
export const saveText = async (dataDir: string, pieces: Iterable<string | Uint8Array>): Promise<void> => {
  await mkdir(dataDir, { recursive: true })
  const path = join(dataDir, FILE)
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w', 0o644)
  try {
    try {
      // writeFile goes on where it stopped. A bare write may write a part, on a disk that is almost full, and not fail.
      for (const piece of pieces) await file.writeFile(piece)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  const directory = await open(dataDir, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
