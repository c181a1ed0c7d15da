/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util'

export interface Options {
  /** Names of figures and questions, or what they begin with (`cost` is every `cost-…`); empty for all. */
  readonly only: readonly string[]
  /** Times that everything is measured; medians are shown. */
  readonly rounds: number
  /** Small counts: shows that the program runs, says nothing about speed. */
  readonly isQuick: boolean
  /** With the slow figures, those over 500,000 tasks and more. */
  readonly isFull: boolean
  /** Directory of the result file. */
  readonly out: string
  /** Another server of the same API, as a shell command; null for none. */
  readonly peer: string | null
}

export const USAGE = `npm run bench -- [--only name,name] [--rounds n] [--quick] [--full] [--out directory]
  --only     figures and questions by name, or by what their names begin with: --only tasks,cost
  --rounds   how often everything is measured; medians are shown (5; with --quick 1)
  --quick    small counts, to see that it runs: the figures mean nothing
  --full     the slow figures too: 500,000 tasks kept, a graph of 1,000,000
  --out      where the result file goes (bench/results)
  BENCH_PEER="command" measures another server beside this one, started with the same EXECGO_… variables.
  BENCH_NODE_FLAGS="--cpu-prof …" are flags for the daemon's node.`

/** @throws {Error} for what cannot be used, with one line that names it */
export const readOptions = (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  defaultOut: string,
): Options => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      out: { type: 'string', default: defaultOut },
    },
  })
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds: expected a whole number from 1, got ${JSON.stringify(values.rounds)}`)
  }
  return {
    only: values.only.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()])),
    rounds,
    isQuick: values.quick,
    isFull: values.full,
    out: values.out,
    peer: env['BENCH_PEER']?.trim() || null,
  }
}

/** Whether `--only` asks for this one. */
export const isWanted = (only: readonly string[], name: string): boolean =>
  only.length === 0 || only.some((word) => name === word || name.startsWith(`${word}-`))
