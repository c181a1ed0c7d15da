/** What a process and all below it take, from /proc. */
import { readFileSync, readdirSync } from 'node:fs'
import { platform } from 'node:os'

/** Ticks of a second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

export const hasProc = platform() === 'linux'

/** The fields of /proc/PID/stat behind the name, which may hold anything; null for a process that is gone. */
const statOf = (pid: number): string[] | null => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

/** The process and all below it. */
const treeOf = (pid: number): number[] => {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = statOf(Number(name))
    if (stat === null) continue
    const parent = Number(stat[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [pid]
  for (let at = 0; at < tree.length; at++) tree.push(...(children.get(tree[at]!) ?? []))
  return tree
}

/** Megabytes (10⁶ bytes) of anonymous memory that are resident, over the whole tree. */
export const anonymousMb = (pid: number): number => {
  let kib = 0
  for (const each of treeOf(pid)) {
    try {
      kib += Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${each}/status`, 'latin1'))?.[1] ?? 0)
    } catch {
      // It ended in between.
    }
  }
  return (kib * 1024) / 1e6
}

/** Seconds of processor time, user and system, that the tree took so far. */
export const cpuSeconds = (pid: number): number => {
  let ticks = 0
  for (const each of treeOf(pid)) {
    const stat = statOf(each)
    if (stat !== null) ticks += Number(stat[11]) + Number(stat[12])
  }
  return ticks / TICKS_PER_SECOND
}
