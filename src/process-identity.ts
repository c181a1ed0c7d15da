/** Whether a process that wrote its name into a file still is: files outlive the processes that made them. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

export interface ProcessIdentity {
  readonly pid: number
  readonly host: string
  /** Tells a process from a later one of the same number; `''` where the system does not say. */
  readonly started: string
}

export const thisProcess = (): ProcessIdentity => ({
  pid: process.pid,
  host: hostname(),
  started: startOf(process.pid),
})

/** Not for one of another host: nobody here can say. */
export const isAlive = ({ pid, started }: ProcessIdentity): boolean => {
  if (pid === process.pid && started !== startOf(process.pid)) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return started === '' || started === startOf(pid)
}

/** When a process began, in ticks since the machine's start (and which start that was), from /proc. */
const startOf = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // The name, in parentheses, may hold anything: count from behind it. The start is the 22nd field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended; its parent has not looked yet.
    return fields[0] === 'Z' ? 'ended' : `${boot}:${fields[19]}`
  } catch {
    return ''
  }
}
