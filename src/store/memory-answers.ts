/** First answers to submissions that carried an `Idempotency-Key`, in memory, for as long as they are given again. */
import { FIRST_ANSWER_MS, type FirstAnswer } from './store.ts'

export class FirstAnswers {
  readonly #nowMs: () => number
  /** By their keys, oldest first. */
  readonly #answers = new Map<string, FirstAnswer>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get(key: string): FirstAnswer | null {
    const first = this.#answers.get(key)
    return first !== undefined && this.#isFresh(first) ? first : null
  }

  keep(answer: FirstAnswer): void {
    this.#answers.delete(answer.key)
    this.#answers.set(answer.key, answer)
    for (const [key, first] of this.#answers) {
      if (this.#isFresh(first)) break
      this.#answers.delete(key)
    }
  }

  #isFresh(first: FirstAnswer): boolean {
    return this.#nowMs() - first.atMs < FIRST_ANSWER_MS
  }
}
