/**
 * Attempts on a bounded pool of threads. The threads follow the cores; each runs many attempts at once, and all of
 * them together as many as there are slots. An attempt goes to the thread that has the fewest.
 *
 * The scheduler counts the slots; the pool only spreads what it is given, one message a thread for each batch.
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { Dispatched, Executor, ExecutorEvents } from './executor.ts'
import { Lane } from './lane.ts'
import type { Holdings, Outcome, SharedStartTimes, SpawnChoice, WorkerSettings } from './messages.ts'

/** Of a thread: what attempts leave behind dies young, and a larger one is only larger. */
const YOUNG_GENERATION_MB = 8

/** How long to wait before another thread takes the place of a lost one that never came up. */
const REOPEN_AFTER_MS = 500

export interface PoolOptions {
  /** Attempts that may run at once, over all threads. */
  readonly slots: number
  readonly settings: WorkerSettings
  readonly startTimes: SharedStartTimes
  /** Most MiB of JavaScript heap of one thread; past it the thread ends, and the daemon goes on. */
  readonly threadMemoryMb: number
  /** Opens a thread's way to MCP servers; asked only where the settings say that there are some. */
  readonly openMcpPort: () => MessagePort
  /** Told how the first thread starts commands, and a later one that does it another way. */
  readonly onSpawnChoice: (choice: SpawnChoice) => void
  /** Told when a thread was lost. */
  readonly onThreadLost: (reason: string) => void
}

/** A place for a thread. `lane` is null between a lost thread and the one that takes its place. */
interface Seat {
  lane: Lane | null
  isReady: boolean
  /** Assignments that go out with the next message. */
  batch: Dispatched[]
  /** How many of them are not instant. */
  waiting: number
}

/** The worker's own ending follows this file's: .ts under tsx, .js in a build. */
const ENDING = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

export class Pool implements Executor {
  readonly #options: PoolOptions
  #piscina: Piscina | null = null
  readonly #seats: Seat[] = []
  /** By ref; of an attempt that is over it says nothing. */
  readonly #seatOf: Seat[] = []
  #events: ExecutorEvents | null = null
  #isStopping = false
  #way: SpawnChoice['way'] | null = null
  /** What lost threads held, until a thread is there to take it over. */
  readonly #estates: Holdings[] = []

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** The threads come up here and not before: a start that fails earlier ends the process with none half awake. */
  async start(events: ExecutorEvents): Promise<void> {
    this.#events = events
    const { slots, threadMemoryMb } = this.#options
    const threads = Math.max(1, Math.min(slots, availableParallelism()))
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL(`../../workers/run.${ENDING}`, import.meta.url)),
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: {
        maxOldGenerationSizeMb: threadMemoryMb,
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
      },
    })
    // A thread's end is told by its session; without a listener Piscina would throw it.
    this.#piscina.on('error', () => {})
    await Promise.all(
      Array.from(
        { length: threads },
        () => new Promise<void>((resolve, reject) => this.#openSeat(resolve, reject)),
      ),
    )
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#seats.map((seat) => seat.lane?.close()))
    await this.#piscina?.destroy()
  }

  dispatch(assignments: readonly Dispatched[]): void {
    // Chosen once: waking a second thread costs more than they do.
    const forInstants = this.#freest()
    for (const assignment of assignments) {
      const seat = assignment.isInstant ? forInstants : this.#freest()
      seat.batch.push(assignment)
      if (!assignment.isInstant) seat.waiting++
      this.#seatOf[assignment.ref] = seat
    }
    for (const seat of this.#seats) flush(seat)
  }

  abort(ref: number, graceMs: number, reason: string): void {
    const seat = this.#seatOf[ref]
    if (seat === undefined) return
    if (seat.lane !== null) seat.lane.abort(ref, graceMs, reason)
    else this.#takeBack(seat, ref)
  }

  /** Of a seat without a thread nothing has begun. */
  #takeBack(seat: Seat, ref: number): void {
    const at = seat.batch.findIndex((assignment) => assignment.ref === ref)
    if (at < 0) return
    const [assignment] = seat.batch.splice(at, 1)
    if (assignment?.isInstant === false) seat.waiting--
    const nowMs = Date.now()
    setImmediate(() => this.#events?.onOutcomes([notBegun(ref, nowMs)]))
  }

  killProcesses(): void {
    for (const seat of this.#seats) seat.lane?.killProcesses()
  }

  #freest(): Seat {
    let best = this.#seats[0]!
    let least = load(best)
    for (const seat of this.#seats) {
      if (load(seat) < least) {
        best = seat
        least = load(seat)
      }
    }
    return best
  }

  #openSeat(onReady: () => void, onFailed: (error: Error) => void): void {
    const seat: Seat = { lane: null, isReady: false, batch: [], waiting: 0 }
    this.#seats.push(seat)
    this.#openLane(seat, onReady, onFailed)
  }

  #openLane(seat: Seat, onReady: () => void, onFailed: (error: Error) => void): void {
    const { slots, settings, startTimes } = this.#options
    seat.lane = new Lane(this.#piscina!, slots, settings, startTimes, {
      onReady: (spawn) => {
        seat.isReady = true
        if (this.#way !== spawn.way) this.#options.onSpawnChoice(spawn)
        this.#way = spawn.way
        this.#settleEstates()
        onReady()
      },
      onOutcomes: (outcomes) => this.#events!.onOutcomes(outcomes),
      onProgress: (ref, atMs, message) => this.#events!.onProgress(ref, atMs, message),
      onMcp: () => this.#options.openMcpPort(),
      onLost: (refs, culprit, reason) => {
        onFailed(new Error(`a worker thread did not come up: ${reason}`))
        this.#replace(seat, refs, culprit, reason)
      },
      onGone: (holdings) => {
        this.#estates.push(holdings)
        this.#settleEstates()
      },
    })
    flush(seat)
  }

  #settleEstates(): void {
    const heir = this.#seats.find((seat) => seat.isReady)?.lane
    if (heir === undefined || heir === null) return
    for (const holdings of this.#estates.splice(0)) heir.inherit(holdings)
  }

  #replace(seat: Seat, refs: readonly number[], culprit: number, reason: string): void {
    seat.lane = null
    if (this.#isStopping) return
    this.#options.onThreadLost(reason)
    const reopen = (): void => {
      if (!this.#isStopping) this.#openLane(seat, ignore, ignore)
    }
    // A thread that never came up is not opened again at once: it might fail for ever.
    if (seat.isReady) reopen()
    else setTimeout(reopen, REOPEN_AFTER_MS)
    seat.isReady = false
    if (refs.length > 0) this.#events!.onLost(refs, culprit, reason)
  }
}

const ignore = (): void => {}

/** The outcome of an attempt that was aborted before a thread had it. */
const notBegun = (ref: number, nowMs: number): Outcome => ({
  ref,
  status: 'aborted',
  outputJson: '',
  detailsJson: '',
  startedMs: nowMs,
  finishedMs: nowMs,
  ranMs: 0,
  message: '',
  code: 'cancelled',
  retryable: false,
  isFinal: false,
})

const flush = (seat: Seat): void => {
  if (seat.lane === null || seat.batch.length === 0) return
  const batch = seat.batch
  seat.batch = []
  seat.waiting = 0
  seat.lane.run(batch)
}

/** Attempts on the seat but those that are over at once; one without a thread comes last. */
const load = (seat: Seat): number => seat.waiting + (seat.lane === null ? 1e6 : seat.lane.lasting)
