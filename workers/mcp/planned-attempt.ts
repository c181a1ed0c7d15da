/** An attempt that is to come: it may be brought forward, and many may wait for it. */
export class PlannedAttempt {
  readonly #run: () => Promise<void>
  #resolve: () => void = () => {}
  #timer: NodeJS.Timeout | null = null
  #dueAtMs = Number.POSITIVE_INFINITY
  /** Resolves after the attempt. */
  readonly over: Promise<void>

  constructor(run: () => Promise<void>) {
    this.#run = run
    this.over = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Has it begin within this time, if it has not begun, or would begin sooner. */
  beginWithin(ms: number): void {
    const dueAtMs = performance.now() + ms
    if (dueAtMs >= this.#dueAtMs) return
    this.#dueAtMs = dueAtMs
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#dueAtMs = Number.NEGATIVE_INFINITY
      void this.#run().finally(this.#resolve)
    }, ms)
  }

  /** It does not begin any more, and is over for those who wait. */
  forget(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#resolve()
  }
}

/** Resolves with `work`, or when nobody waits for it any more. */
export const endedOrAborted = async (work: Promise<void>, signal: AbortSignal): Promise<void> => {
  if (signal.aborted) return
  const { promise, resolve } = withResolvers()
  signal.addEventListener('abort', resolve, { once: true })
  await Promise.race([work, promise])
  signal.removeEventListener('abort', resolve)
}

const withResolvers = (): { promise: Promise<void>; resolve: () => void } => {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
