/**
 * Finished tasks on their way to the disk: texts one after the other, in pieces that are read back at once.
 *
 * Neighbours mostly differ by nothing but their ids. So a text is kept whole, as it will be shown, or as its id and where
 * in the batch the rest of it is, behind the id of an earlier one:
 *
 * ```
 * {"id":"a","type":…}@7,420,"b"@7,420,"c"{"id":"d",…
 * ```
 */
import { isPlain } from '../../domain/json.ts'
import { FINISHED_START, finishedTaskRest } from '../../domain/task-json.ts'
import type { Task } from '../../domain/task.ts'
import { CODES, Heads } from './heads.ts'
import type { RecordBuffer } from './record-buffer.ts'
import type { TaskIndex } from './task-index.ts'

/** Reading one task reads its whole batch: small enough for that, large enough to be few. */
const BATCH_BYTES = 32 * 1024

/** A page of the disk that is damaged harms no more than its own texts and so many others of each text that began on it. */
const MOST_SHARING = 64

/** What a text begins with that shares the rest of another. */
const SHARES = '@'
const SHARES_BYTE = SHARES.charCodeAt(0)
const COMMA = 0x2c
const ZERO = 0x30
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = Buffer.from(':')
const COLON_AND_START = Buffer.from(`:${FINISHED_START}`)

export interface Batch {
  readonly number: number
  readonly heads: Heads
}

/** Packs finished tasks, in their order. @param first the number of the first batch */
export const packBatches = (
  tasks: readonly Task[],
  first: number,
  records: RecordBuffer,
  index: TaskIndex,
): Batch[] => {
  const batches: Batch[] = []
  for (let from = 0; from < tasks.length; ) {
    const number = first + batches.length
    records.open('batches', number)
    const lengths = writeTexts(tasks, from, records)
    records.close()
    const heads = Heads.make(lengths.length, (bytes) => records.take('heads', number, bytes))
    fill(heads, tasks, from, lengths, index)
    batches.push({ number, heads })
    from += lengths.length
  }
  return batches
}

/** Writes texts until the batch is full. @returns how many bytes each has */
const writeTexts = (tasks: readonly Task[], from: number, records: RecordBuffer): number[] => {
  const lengths: number[] = []
  let end = 0
  let shared = ''
  let sharing = 0
  // Where and how long it is, as the texts that share it say.
  let place = ''
  for (let at = from; at < tasks.length && end < BATCH_BYTES; at++) {
    const task = tasks[at]!
    const { id } = task
    const rest = finishedTaskRest(task)
    let idJson = `"${id}"`
    let idBytes = idJson.length
    if (!isPlain(id)) {
      idJson = JSON.stringify(id)
      idBytes = Buffer.byteLength(idJson)
    }
    let bytes: number
    if (rest === shared && sharing < MOST_SHARING) {
      sharing++
      records.write(place)
      records.write(idJson)
      bytes = place.length + idBytes
    } else {
      records.write(FINISHED_START)
      records.write(idJson)
      records.write(rest)
      const before = FINISHED_START.length + idBytes
      const restBytes = Buffer.byteLength(rest)
      bytes = before + restBytes
      shared = rest
      sharing = 0
      place = `${SHARES}${end + before},${restBytes},`
    }
    lengths.push(bytes)
    end += bytes
  }
  return lengths
}

/** @param from the place of the batch's first task */
const fill = (
  heads: Heads,
  tasks: readonly Task[],
  from: number,
  lengths: readonly number[],
  index: TaskIndex,
): void => {
  let offset = 0
  for (let at = 0; at < lengths.length; at++) {
    const task = tasks[from + at]!
    const length = lengths[at]!
    heads.set(
      at,
      task.key,
      task.updatedMs,
      task.graph.key,
      offset,
      length,
      index.hash(task.key),
      codeOf(task),
    )
    offset += length
  }
}

/** The text of a finished task in its batch. */
export const textIn = (batch: Buffer, offset: number, length: number): string => {
  if (batch[offset] !== SHARES_BYTE) return batch.toString('utf8', offset, offset + length)
  const { idAt, restAt, restEnd } = sharedIn(batch, offset, length)
  return `${FINISHED_START}${batch.toString('utf8', idAt, offset + length)}${batch.toString('utf8', restAt, restEnd)}`
}

/** Where the parts of a text are that shares its rest. */
interface Shared {
  readonly idAt: number
  readonly restAt: number
  readonly restEnd: number
}

const sharedIn = (batch: Buffer, offset: number, length: number): Shared => {
  const end = offset + length
  let at = offset + 1
  let restAt = 0
  for (; at < end && batch[at] !== COMMA; at++) restAt = restAt * 10 + batch[at]! - ZERO
  let restBytes = 0
  for (at++; at < end && batch[at] !== COMMA; at++) restBytes = restBytes * 10 + batch[at]! - ZERO
  const restEnd = restAt + restBytes
  if (!(restAt > 0 && restBytes >= 0 && restEnd <= offset && at < end))
    throw new Error(`the database is damaged: a text refers to ${restAt}, ${restBytes} from ${offset}`)
  return { idAt: at + 1, restAt, restEnd }
}

/** Writes the text of a finished task as the member of an object: `"a":{"id":"a",…`. */
export const writeMember = (to: ByteSink, batch: Buffer, offset: number, length: number): void => {
  const end = offset + length
  if (batch[offset] !== SHARES_BYTE) {
    const idAt = offset + FINISHED_START.length
    to.write(batch, idAt, stringEnd(batch, idAt, end))
    to.write(COLON)
    to.write(batch, offset, end)
    return
  }
  const { idAt, restAt, restEnd } = sharedIn(batch, offset, length)
  to.write(batch, idAt, end)
  to.write(COLON_AND_START)
  to.write(batch, idAt, end)
  to.write(batch, restAt, restEnd)
}

/** Where bytes go, piece by piece. */
export interface ByteSink {
  write(bytes: Buffer, from?: number, to?: number): void
}

/** Behind the JSON string that begins at a place. */
const stringEnd = (bytes: Buffer, from: number, end: number): number => {
  for (let at = from + 1; at < end; at++) {
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] === BACKSLASH) at++
  }
  throw new Error('the database is damaged: a text has no id')
}

/** As much of it as tells whether it is that of a task whose id has so many bytes. */
export const headIn = (batch: Buffer, offset: number, length: number, bytes: number): string =>
  batch[offset] === SHARES_BYTE
    ? textIn(batch, offset, length)
    : batch.toString('utf8', offset, offset + Math.min(length, bytes))

export const codeOf = (task: Task): number => {
  if (task.phase === 'success') return CODES.success
  if (task.phase === 'failed') return task.isBad ? CODES.failed : CODES.failedAllowed
  return task.isBad ? CODES.skipped : CODES.skippedBenign
}
