/** Attempts that began, so that their numbers go on after a crash. */
import type { Task } from '../../domain/task.ts'

/** Key, attempt, failures. */
export const NUMBERS_PER_START = 3

/** Triples of key, attempt and failures. */
export const encodeStarts = (tasks: readonly Task[]): Buffer => {
  const numbers = new Float64Array(tasks.length * NUMBERS_PER_START)
  for (let at = 0; at < tasks.length; at++) {
    const { key, attempt, failures } = tasks[at]!
    numbers[at * NUMBERS_PER_START] = key
    numbers[at * NUMBERS_PER_START + 1] = attempt
    numbers[at * NUMBERS_PER_START + 2] = failures
  }
  return Buffer.from(numbers.buffer)
}

/**
 * Gives the tasks the attempts that were noted; of several of one task the last one stands. What was noted before a task
 * was run again is not later than the attempt that it was kept with then, and tells nothing.
 */
export const applyStarts = (numbers: Float64Array, tasks: ReadonlyMap<number, Task>): void => {
  for (let at = 0; at + 2 < numbers.length; at += NUMBERS_PER_START) {
    const task = tasks.get(numbers[at]!)
    if (task === undefined || numbers[at + 1]! <= task.attempt) continue
    task.attempt = numbers[at + 1]!
    task.failures = numbers[at + 2]!
  }
}
