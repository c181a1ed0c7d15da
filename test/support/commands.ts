/** Shell tasks, and the processes that they start. */
import { readFileSync } from 'node:fs'

/** What makes a task of a script. */
export const script = (text: string) => ({ type: 'shell', params: { script: text } })

/** Whether a process is alive; a zombie is not. */
export const isAlive = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

/** Resolves when the process is gone. */
export const gone = async (pid: number): Promise<void> => {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10))
}
