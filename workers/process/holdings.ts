/**
 * What the commands of this thread hold, in memory that outlives the thread: when it is lost, the main thread kills
 * the processes, and another thread reaps them and closes the descriptors that nobody else knows of.
 *
 * System calls write their numbers right into this memory: a thread that is ended while it waits for one of them
 * leaves nothing behind that is not noted. Where a number changes hands it is forgotten here first. A thread that is
 * ended at that very moment loses one, which is better than to have somebody else's closed or killed.
 */
import { DESCRIPTORS_PER_COMMAND, type Holdings } from '../../src/pool/messages.ts'

/** Room for what one command holds; 0 is nothing. */
export class Place {
  readonly isShared: boolean
  /** Its pid, from its start until just before it is reaped: then it may be somebody else's. */
  readonly pid: Int32Array
  /** The reading end of its pipe and the writing end, until they are closed or Node has them. */
  readonly stdout: Int32Array
  readonly stderr: Int32Array

  constructor(isShared: boolean, pid: Int32Array, descriptors: Int32Array) {
    this.isShared = isShared
    this.pid = pid
    this.stdout = descriptors.subarray(0, 2)
    this.stderr = descriptors.subarray(2, 4)
  }
}

export class HoldingsTable {
  readonly #holdings: Holdings
  readonly #free: Place[] = []
  /** Places made so far. */
  #made = 0

  constructor(holdings: Holdings) {
    this.#holdings = holdings
  }

  /** A place that nobody has. Once there is no more room, the next commands are not guarded. */
  take(): Place {
    return this.#free.pop() ?? this.#make()
  }

  /** Takes back a place that is empty. */
  giveBack(place: Place): void {
    if (place.isShared) this.#free.push(place)
  }

  #make(): Place {
    const { pids, descriptors } = this.#holdings
    if (this.#made === pids.length) {
      return new Place(false, new Int32Array(1), new Int32Array(DESCRIPTORS_PER_COMMAND))
    }
    const at = this.#made++
    const first = DESCRIPTORS_PER_COMMAND * at
    return new Place(
      true,
      pids.subarray(at, at + 1),
      descriptors.subarray(first, first + DESCRIPTORS_PER_COMMAND),
    )
  }
}

/** Ends the group that `pid` leads, which must not have been reaped. */
export const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it ended by itself.
  }
}
