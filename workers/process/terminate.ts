/**
 * Ends a command and all that it started: SIGTERM, and after the grace SIGKILL to whatever is still alive, also
 * where the leader itself is long gone. On Linux the tree is read from /proc, so that a descendant with a session
 * of its own is found as well; elsewhere it is the process group.
 *
 * ```
 * scan ─► SIGTERM ─► wait: gone? ──yes──► done
 *                     │ grace over                        ┌── again, for what was forked meanwhile
 *                     └──────────────► scan ─► SIGKILL ───┴─► nothing left: done
 * ```
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type ProcessEntry, readProcess, scanProcesses } from './process-table.ts'

export interface ProcessTree {
  /** Pid of the process that was started, which leads its group. */
  readonly leader: number
  /** What `EXECGO_RUN` is in the environment of this tree. */
  readonly marker: string
  /** Whether the leader was waited for: its pid may then be somebody else's. */
  hasExited(): boolean
}

/** A process that SIGKILL does not end in this many rounds waits in the kernel: nobody can do more. */
const KILL_ROUNDS = 12
const SLOWEST_POLL_MS = 100

/** Signal 0 only asks. */
const send = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false // It ended by itself meanwhile.
  }
}

/** Those seen in earlier scans, by pid: still found when all that ties them to the tree is gone. */
type KnownStarts = Map<number, number>

const isStillAlive = (pid: number, startTicks: number): boolean => readProcess(pid)?.startTicks === startTicks

/** What is left of the tree; null where only the process group can be asked. */
const livingTree = async (tree: ProcessTree, known: KnownStarts): Promise<Set<ProcessEntry> | null> => {
  const table = await scanProcesses()
  if (table === null) return null
  const living = table.treeOf(
    tree.leader,
    tree.marker,
    ({ pid, startTicks }) => known.get(pid) === startTicks,
  )
  for (const { pid, startTicks } of living) known.set(pid, startTicks)
  return living
}

/** Signals the whole tree, each process of it once. Returns whether anything was there. */
const signalTree = async (
  tree: ProcessTree,
  known: KnownStarts,
  signal: NodeJS.Signals,
): Promise<boolean> => {
  const living = await livingTree(tree, known)
  if (living === null) return send(-tree.leader, signal)
  // One call for the group: nothing can be forked in the middle of it.
  const isGroupSignalled = !tree.hasExited() && send(-tree.leader, signal)
  for (const { pid, group } of living) {
    if (!isGroupSignalled || group !== tree.leader) send(pid, signal)
  }
  return living.size > 0
}

const isGone = async (tree: ProcessTree, known: KnownStarts): Promise<boolean> => {
  if (!tree.hasExited()) return false
  // Asking after those already known is cheap; only when all of them are gone everybody is looked at again.
  for (const [pid, startTicks] of known) {
    if (isStillAlive(pid, startTicks)) return false
  }
  const living = await livingTree(tree, known)
  return living === null ? !send(-tree.leader, 0) : living.size === 0
}

/**
 * Settles once nothing of the tree is alive. `graceMs` is asked again and again, counted from now: it may shrink
 * while we wait. Where it is 0, SIGKILL is the first signal.
 */
export const terminateTree = async (tree: ProcessTree, graceMs: () => number): Promise<void> => {
  const known: KnownStarts = new Map()
  const startedMs = performance.now()
  const remainingMs = (): number => startedMs + graceMs() - performance.now()
  if (graceMs() > 0) {
    if (!(await signalTree(tree, known, 'SIGTERM'))) return
    for (let pollMs = 5; remainingMs() > 0; pollMs = Math.min(pollMs * 2, SLOWEST_POLL_MS)) {
      await delay(Math.min(pollMs, Math.max(remainingMs(), 1)))
      if (await isGone(tree, known)) return
    }
  }
  for (let round = 0; round < KILL_ROUNDS; round++) {
    if (!(await signalTree(tree, known, 'SIGKILL'))) return
    await delay(Math.min(2 ** round, SLOWEST_POLL_MS))
  }
}
