/** What was measured, round by round, and what it comes to beside the targets. */
import { COLUMNS, type Column, type Figure, type Target } from './figures.ts'

type Verdict = 'aim' | 'ok' | 'short'

/** One column of a row. */
export interface Cell {
  readonly median: number
  /** Median of the rounds' ratios to the floor; null without a floor. */
  readonly ratio: number | null
  readonly rounds: readonly number[]
}

export interface Row {
  readonly figure: Figure
  readonly cells: Readonly<Partial<Record<Column, Cell>>>
  /** The worse of the durable and the relaxed column; null where neither has a target and a value. */
  readonly verdict: Verdict | null
  readonly notes: readonly string[]
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export class Measurements {
  /** The round that samples are of, from 0. */
  round = 0
  /** Whether something could not be measured that should have been. */
  hasFailed = false
  readonly #samples = new Map<string, Map<number, number>>()
  readonly #notes = new Map<string, Set<string>>()

  /** Keeps the value of this round. */
  sample(name: string, column: Column, value: number): void {
    const key = `${name} ${column}`
    const values = this.#samples.get(key) ?? new Map<number, number>()
    this.#samples.set(key, values.set(this.round, value))
  }

  /** The value of this round, where there is one. */
  valueOf(name: string, column: Column): number | undefined {
    return this.#samples.get(`${name} ${column}`)?.get(this.round)
  }

  /** Says something beside a row: why it has no value, or what to know about it. Said once, however often. */
  note(name: string, text: string): void {
    this.#notes.set(name, (this.#notes.get(name) ?? new Set()).add(text))
  }

  row(figure: Figure): Row {
    const cells: Partial<{ [K in Column]: Cell }> = {}
    for (const column of COLUMNS) {
      const cell = this.#cell(figure.name, column)
      if (cell !== null) cells[column] = cell
    }
    const verdicts = [
      verdictOf(figure, cells.durable, figure.durable),
      verdictOf(figure, cells.relaxed, figure.relaxed),
    ]
    return {
      figure,
      cells,
      verdict: WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? null,
      notes: [...(this.#notes.get(figure.name) ?? [])],
    }
  }

  #cell(name: string, column: Column): Cell | null {
    const samples = this.#samples.get(`${name} ${column}`)
    if (samples === undefined) return null
    const floor = column === 'floor' ? undefined : this.#samples.get(`${name} floor`)
    // Each round beside the floor of that round: what slows the machine for a while slows both.
    const ratios = [...samples].flatMap(([round, value]) => {
      const below = floor?.get(round)
      return below === undefined ? [] : [value / below]
    })
    const rounds = [...samples.values()]
    return { median: median(rounds), ratio: ratios.length === 0 ? null : median(ratios), rounds }
  }
}

const WORST_FIRST = ['short', 'ok', 'aim'] as const

const verdictOf = (
  figure: Pick<Figure, 'better' | 'judged'>,
  cell: Cell | undefined,
  target: Target | undefined,
): Verdict | null => {
  const value = figure.judged === 'ratio' ? cell?.ratio : cell?.median
  if (value == null || target === undefined) return null
  const reaches = figure.better === 'higher' ? value >= target.atLeast : value <= target.atLeast
  const aims = figure.better === 'higher' ? value >= target.aim : value <= target.aim
  return aims ? 'aim' : reaches ? 'ok' : 'short'
}
