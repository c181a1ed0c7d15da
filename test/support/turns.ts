/** Whether long work lets others have their turns on the event loop. */

/** Texts of tasks, each of which takes a millisecond of the thread. */
export async function* slowTexts(count: number): AsyncIterable<string> {
  for (let at = 0; at < count; at++) {
    for (const end = performance.now() + 1; performance.now() < end; );
    yield `{"id":"t${at}"}`
  }
}

/** How often others had their turn until it was over. */
export const turnsDuring = async (work: Promise<unknown>): Promise<number> => {
  let turns = 0
  let isOver = false
  const count = (): void => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  await work
  isOver = true
  return turns
}
