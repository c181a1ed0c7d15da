/** Attempts that began, so that their numbers go on after a crash. */
import type { Task } from '../../domain/task.ts'

/** Triples of key, attempt and failures. */
export const encodeStarts = (tasks: readonly Task[]): Buffer => {
  const numbers = new Float64Array(tasks.length * 3)
  tasks.forEach((task, at) => {
    numbers.set([task.key, task.attempt, task.failures], at * 3)
  })
  return Buffer.from(numbers.buffer)
}
