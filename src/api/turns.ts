/** Long work on the event loop lets others have their turn. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** For so long one piece of work may hold the loop. */
const TURN_MS = 10

/** To be awaited between two steps: resolves at once, or, where its turn was long enough, in the next one. */
export const takeTurns = (): (() => Promise<void>) => {
  let sinceMs = performance.now()
  return async () => {
    if (performance.now() - sinceMs < TURN_MS) return
    await nextTurn()
    sinceMs = performance.now()
  }
}
