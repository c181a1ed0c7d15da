/** Finished tasks on their way to the disk: texts one after the other, in pieces that are read back at once. */
import type { Task } from '../../domain/task.ts'
import { finishedTaskJson } from '../../domain/task-json.ts'
import { CODES, Heads } from './heads.ts'
import type { RecordBuffer } from './record-buffer.ts'
import type { TaskIndex } from './task-index.ts'

/** Reading one task reads its whole batch: small enough for that, large enough to be few. */
const BATCH_BYTES = 32 * 1024

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
  let texts: string[] = []
  let size = 0
  for (let at = 0; at < tasks.length; at++) {
    const text = finishedTaskJson(tasks[at]!)
    const number = first + batches.length
    if (texts.length === 0) records.open('batches', number)
    records.write(text)
    texts.push(text)
    // A string has at most three bytes a unit; its length is near enough to bound a batch.
    size += text.length
    if (size < BATCH_BYTES && at < tasks.length - 1) continue
    const payload = records.close()
    const heads = Heads.make(texts.length, (bytes) => records.take('heads', number, bytes))
    fill(heads, tasks, at + 1 - texts.length, texts, payload.length === size, index)
    batches.push({ number, heads })
    texts = []
    size = 0
  }
  return batches
}

/** @param from the place of the batch's first task */
const fill = (
  heads: Heads,
  tasks: readonly Task[],
  from: number,
  texts: readonly string[],
  isAscii: boolean,
  index: TaskIndex,
): void => {
  let offset = 0
  for (let at = 0; at < texts.length; at++) {
    const task = tasks[from + at]!
    const length = isAscii ? texts[at]!.length : Buffer.byteLength(texts[at]!)
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

export const codeOf = (task: Task): number => {
  if (task.phase === 'success') return CODES.success
  if (task.phase === 'failed') return task.isBad ? CODES.failed : CODES.failedAllowed
  return task.isBad ? CODES.skipped : CODES.skippedBenign
}
