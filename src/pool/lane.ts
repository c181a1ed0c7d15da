/**
 * One thread of the pool: a Piscina task that lasts as long as the thread, and a MessagePort to talk with it.
 *
 * ```
 * open() ──► thread says `ready` ──► assignments out, reports in ──► close()
 *                                         │
 *                       abort ──► no ack in time, or the thread dies ──► lost: its attempts are told, and its
 *                                                                        processes killed; the pool opens another
 *                       the thread is gone for good ──► what it held goes to another
 * ```
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import type { Dispatched } from './executor.ts'
import {
  DESCRIPTORS_PER_COMMAND,
  type FromWorker,
  type Holdings,
  type Outcome,
  type SessionStart,
  type SharedStartTimes,
  type SpawnChoice,
  type ToWorker,
  type WorkerSettings,
} from './messages.ts'
import { assignmentRows, outcomesIn } from './rows.ts'

/** How long a thread may take to say that it heard an abort. Longer, and it is stuck in a loop. */
const ACK_WITHIN_MS = 3000

export interface LaneEvents {
  onReady(spawn: SpawnChoice): void
  onOutcomes(outcomes: readonly Outcome[]): void
  onProgress(ref: number, atMs: number, message: string): void
  /** The thread calls MCP servers, and needs a way to them. */
  onMcp(): MessagePort
  /** The thread is lost. Only its end is told of this lane afterwards. */
  onLost(refs: readonly number[], culprit: number, reason: string): void
  /** The lost thread cannot do anything any more: what it held may be let go. */
  onGone(holdings: Holdings): void
}

/** Whether an attempt is on the thread, and one that is over at once. */
type State = 0 | 1 | 2
const ELSEWHERE = 0
const INSTANT = 1
const LASTING = 2

const sharedInts = (length: number): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(4 * length))

export class Lane {
  /** By ref, which are small: what is on the thread. */
  readonly #states: State[] = []
  /** How many are not. */
  lasting = 0
  readonly #events: LaneEvents
  readonly #port: MessagePort
  readonly #closed: Promise<void>
  readonly #holdings: Holdings
  readonly #life = new AbortController()
  readonly #unanswered = new Map<number, NodeJS.Timeout>()
  #culprit = -1
  #isOver = false
  /** Resolves when the thread's session has ended, in whatever way. */
  readonly ended: Promise<void>

  constructor(
    piscina: Piscina,
    capacity: number,
    settings: WorkerSettings,
    startTimes: SharedStartTimes,
    events: LaneEvents,
  ) {
    this.#events = events
    this.#holdings = {
      pids: sharedInts(capacity),
      descriptors: sharedInts(DESCRIPTORS_PER_COMMAND * capacity),
    }
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    port1.on('message', (message: FromWorker) => this.#onMessage(message))
    // The other end is closed with the session, or with the thread itself.
    this.#closed = new Promise((resolve) => port1.once('close', resolve))
    const start: SessionStart = { port: port2, settings, holdings: this.#holdings, startTimes }
    this.ended = piscina.run(start, { transferList: [port2], signal: this.#life.signal }).then(
      () => this.#end('the thread ended its session'),
      (error: unknown) => this.#end(error instanceof Error ? error.message : String(error)),
    )
  }

  run(assignments: readonly Dispatched[]): void {
    for (const { ref, isInstant } of assignments) {
      this.#states[ref] = isInstant ? INSTANT : LASTING
      if (!isInstant) this.lasting++
    }
    this.#post({ type: 'run', rows: assignmentRows(assignments) })
  }

  abort(ref: number, graceMs: number, reason: string): void {
    this.#post({ type: 'abort', ref, graceMs, reason })
    if (this.#unanswered.has(ref)) return
    const timer = setTimeout(() => this.#giveUp(ref), ACK_WITHIN_MS)
    this.#unanswered.set(ref, timer)
  }

  /** Lets the thread end its session; what it still runs is killed. */
  async close(): Promise<void> {
    this.#isOver = true
    this.#post({ type: 'close' })
    const timer = setTimeout(() => this.#life.abort(), ACK_WITHIN_MS)
    await this.ended
    clearTimeout(timer)
    this.killProcesses()
  }

  killProcesses(): void {
    const { pids } = this.#holdings
    for (let place = 0; place < pids.length; place++) {
      const pid = Atomics.load(pids, place)
      if (pid > 0) killGroup(pid)
    }
  }

  /** Hands over what a lost thread held. */
  inherit(holdings: Holdings): void {
    this.#post({ type: 'inherit', holdings })
  }

  #post(message: ToWorker, transfer: readonly MessagePort[] = []): void {
    this.#port.postMessage(message, transfer)
  }

  #onMessage(message: FromWorker): void {
    if (this.#isOver) return
    switch (message.type) {
      case 'ready':
        this.#events.onReady(message.spawn)
        return
      case 'report':
        this.#report(outcomesIn(message.rows))
        return
      case 'ack':
        this.#answered(message.ref)
        return
      case 'progress':
        this.#events.onProgress(message.ref, message.atMs, message.message)
        return
      case 'mcp': {
        const port = this.#events.onMcp()
        this.#post({ type: 'mcp', port }, [port])
        return
      }
    }
  }

  #report(outcomes: readonly Outcome[]): void {
    for (const { ref } of outcomes) {
      if (this.#states[ref] === LASTING) this.lasting--
      this.#states[ref] = ELSEWHERE
      if (this.#unanswered.size > 0) this.#answered(ref)
    }
    this.#events.onOutcomes(outcomes)
  }

  #answered(ref: number): void {
    clearTimeout(this.#unanswered.get(ref))
    this.#unanswered.delete(ref)
  }

  /** The thread does not answer: end it. */
  #giveUp(ref: number): void {
    this.#culprit = ref
    this.#life.abort()
  }

  #end(reason: string): void {
    for (const timer of this.#unanswered.values()) clearTimeout(timer)
    this.#unanswered.clear()
    if (this.#isOver) return
    this.#isOver = true
    this.killProcesses()
    void this.#closed.then(() => this.#events.onGone(this.#holdings))
    const refs: number[] = []
    this.#states.forEach((state, ref) => {
      if (state !== ELSEWHERE) refs.push(ref)
    })
    this.#states.length = 0
    this.#events.onLost(refs, this.#culprit, this.#culprit >= 0 ? 'it did not answer an abort' : reason)
  }
}

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // Gone already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
