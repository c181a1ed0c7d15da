/** Runs the questions of *.bench.ts with tinybench. They are asked of the build: tsx adds to what a closure costs. */
import { Bench } from 'tinybench'

/** One question, one file. */
export interface Question {
  readonly name: string
  /** Fills the bench with what is to be compared. */
  ask(bench: Bench): Promise<void>
}

export interface Answer {
  readonly question: string
  readonly name: string
  readonly medianUs: number
  readonly perSecond: number
  /** Of the mean, at 95 %. */
  readonly marginPercent: number
}

const TIME_MS = 1000
const QUICK_TIME_MS = 5

export const answer = async (question: Question, isQuick: boolean): Promise<Answer[]> => {
  const time = isQuick ? QUICK_TIME_MS : TIME_MS
  const bench = new Bench({ name: question.name, time, warmupTime: time / 4, retainSamples: false })
  await question.ask(bench)
  await bench.run()
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') {
      throw new Error(`${question.name}: ${name}: ${result.state}`, {
        cause: result.state === 'errored' ? result.error : undefined,
      })
    }
    return {
      question: question.name,
      name,
      medianUs: result.latency.p50 * 1000,
      perSecond: 1000 / result.latency.p50,
      marginPercent: result.latency.rme,
    }
  })
}

/** A module of the build, with the types of its source: `built<typeof import('../src/x.ts')>('src/x')`. */
export const built = async <T>(path: string): Promise<T> =>
  (await import(new URL(`../dist/${path}.js`, import.meta.url).href)) as T
