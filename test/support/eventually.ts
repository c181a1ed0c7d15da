/** Waiting without a clock: a turn of the event loop at a time. */
import { setImmediate } from 'node:timers/promises'

/** Lets everything run that is due now: every microtask, and what they began. */
export const turn = async (): Promise<void> => {
  await setImmediate()
  await setImmediate()
}

/** A bound on what should be over in a moment, wide enough for a busy machine. */
const GIVE_UP_MS = 30_000

/** Turns the event loop until `isSo`, or fails with `what`. */
export const eventually = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  const giveUpAt = performance.now() + GIVE_UP_MS
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`it never came: ${what}`)
    await setImmediate()
  }
}
