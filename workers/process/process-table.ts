/**
 * Who is whose child on this machine, read from Linux's /proc. Many commands that are ended in the same turn share
 * one reading.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { RUN_MARKER } from './environment.ts'

/** A live process; a zombie is none. */
export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** The number of the terminal that its session has, 0 for none. */
  readonly terminal: number
  /** Clock ticks since boot: with the pid it names one process for good. */
  readonly startTicks: number
}

/** A process by its pid; null when it is over. */
export const readProcess = (pid: number | 'self'): ProcessEntry | null => {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  // The name, in parentheses, may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return null
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    terminal: Number(fields[4]),
    startTicks: Number(fields[19]),
  }
}

/** The run that a process's environment names, `''` for none. */
const readMarker = (pid: number): string => {
  try {
    const found = new RegExp(`(?:^|\\0)${RUN_MARKER}=([^\\0]*)`).exec(
      readFileSync(`/proc/${pid}/environ`, 'latin1'),
    )
    return found?.[1] ?? ''
  } catch {
    return ''
  }
}

export class ProcessTable {
  readonly #entries: readonly ProcessEntry[]
  readonly #children = new Map<number, ProcessEntry[]>()
  #marked: Map<string, ProcessEntry[]> | null = null

  constructor(entries: readonly ProcessEntry[]) {
    this.#entries = entries
    for (const entry of entries) {
      const siblings = this.#children.get(entry.parent)
      if (siblings === undefined) this.#children.set(entry.parent, [entry])
      else siblings.push(entry)
    }
  }

  /**
   * All that is left of the tree under `leader`: its session, its group, whoever carries `marker`, those that
   * `isKnown` names, and the descendants of all of them.
   */
  treeOf(leader: number, marker: string, isKnown: (entry: ProcessEntry) => boolean): Set<ProcessEntry> {
    const tree = new Set(this.#markedWith(marker))
    for (const entry of this.#entries) {
      if (entry.session === leader || entry.group === leader || isKnown(entry)) tree.add(entry)
    }
    // A set that grows while it is walked is walked to its new end.
    for (const entry of tree) {
      for (const child of this.#children.get(entry.pid) ?? []) tree.add(child)
    }
    return tree
  }

  #markedWith(marker: string): readonly ProcessEntry[] {
    if (this.#marked === null) {
      this.#marked = new Map()
      for (const entry of this.#entries) {
        const found = readMarker(entry.pid)
        if (found === '') continue
        const others = this.#marked.get(found)
        if (others === undefined) this.#marked.set(found, [entry])
        else others.push(entry)
      }
    }
    return this.#marked.get(marker) ?? []
  }
}

const readTable = (): ProcessTable | null => {
  try {
    const pids = readdirSync('/proc').map(Number).filter(Number.isInteger)
    return pids.length === 0
      ? null
      : new ProcessTable(pids.map(readProcess).filter((entry) => entry !== null))
  } catch {
    return null
  }
}

let pending: Promise<ProcessTable | null> | null = null

/** The processes as they are at the end of this turn of the event loop; null where there is no /proc. */
export const scanProcesses = (): Promise<ProcessTable | null> => {
  pending ??= new Promise((resolve) => {
    setImmediate(() => {
      pending = null
      resolve(readTable())
    })
  })
  return pending
}
