/** Finished tasks on their way to the disk: texts one after the other, in pieces that are read back at once. */
import type { Task } from '../../domain/task.ts'
import { finishedTaskJson } from '../../domain/task-json.ts'
import { CODES, Heads } from './heads.ts'
import { hashOf } from './task-index.ts'

/** Reading one task reads its whole batch: small enough for that, large enough to be few. */
const BATCH_BYTES = 32 * 1024

export interface Batch {
  readonly payload: Buffer
  readonly heads: Heads
  readonly tasks: readonly Task[]
}

/** Packs finished tasks, in their order. */
export const packBatches = (tasks: readonly Task[]): Batch[] => {
  const batches: Batch[] = []
  let texts: string[] = []
  let from = 0
  let size = 0
  for (let at = 0; at < tasks.length; at++) {
    const text = finishedTaskJson(tasks[at]!)
    texts.push(text)
    // A string has at most three bytes a unit; its length is near enough to bound a batch.
    size += text.length
    if (size < BATCH_BYTES && at < tasks.length - 1) continue
    batches.push(pack(tasks.slice(from, at + 1), texts))
    texts = []
    from = at + 1
    size = 0
  }
  return batches
}

const pack = (tasks: readonly Task[], texts: readonly string[]): Batch => {
  const payload = Buffer.from(texts.length === 1 ? texts[0]! : texts.join(''))
  const isOneByte = payload.length === texts.reduce((sum, text) => sum + text.length, 0)
  const heads = Heads.make(tasks.length)
  let offset = 0
  for (let at = 0; at < tasks.length; at++) {
    const task = tasks[at]!
    const length = isOneByte ? texts[at]!.length : Buffer.byteLength(texts[at]!)
    heads.set(at, task.key, task.updatedMs, task.graph.key, offset, length, hashOf(task.id), codeOf(task))
    offset += length
  }
  return { payload, heads, tasks }
}

export const codeOf = (task: Task): number => {
  if (task.phase === 'success') return CODES.success
  if (task.phase === 'failed') return task.isBad ? CODES.failed : CODES.failedAllowed
  return task.isBad ? CODES.skipped : CODES.skippedBenign
}
