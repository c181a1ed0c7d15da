/** The tables that are printed. */
import type { Environment } from './environment.ts'
import type { Figure, Target } from './figures.ts'
import type { Answer } from './micro.ts'
import type { Cell, Row } from './measurements.ts'

/** Three or four digits that matter, thousands apart. */
const number = (value: number): string =>
  value.toLocaleString('en-US', { maximumSignificantDigits: value >= 1000 ? 4 : 3 })

const NONE = '–'

export const loadTable = (rows: readonly Row[], hasPeer: boolean, isQuick: boolean): string => {
  const heads = [
    'name',
    'figure',
    'unit',
    'floor',
    'durable',
    '×',
    'relaxed',
    '×',
    'at least',
    'aim',
    'original',
  ]
  const lines = rows.map((row) => {
    const { figure, cells } = row
    return [
      figure.name,
      figure.title,
      figure.unit,
      value(cells.floor),
      value(cells.durable),
      times(cells.durable),
      value(cells.relaxed),
      times(cells.relaxed),
      target(figure, 'atLeast'),
      target(figure, 'aim'),
      figure.original ?? '',
      ...(hasPeer ? [value(cells.peer), times(cells.peer)] : []),
      isQuick ? '' : (row.verdict ?? ''),
    ]
  })
  return table([...heads, ...(hasPeer ? ['peer', '×'] : []), ''], lines)
}

const value = (cell: Cell | undefined): string => (cell === undefined ? NONE : number(cell.median))
const times = (cell: Cell | undefined): string => (cell?.ratio == null ? '' : cell.ratio.toFixed(2))

/** As in `0.45 · 0.65`: durable, then relaxed. */
const target = (figure: Figure, which: keyof Target): string =>
  [figure.durable, figure.relaxed]
    .flatMap((each) => (each === undefined ? [] : [String(each[which])]))
    .join(' · ')

export const noteLines = (rows: readonly Row[]): string =>
  rows.flatMap(({ figure, notes }) => notes.map((note) => `  ${figure.name}: ${note}\n`)).join('')

export const microTable = (answers: readonly Answer[]): string =>
  table(
    ['name', 'what', 'µs (median)', '± %', 'per second'],
    answers.map((answer) => [
      answer.question,
      answer.name,
      number(answer.medianUs),
      answer.marginPercent.toFixed(1),
      number(answer.perSecond),
    ]),
  )

export const headLine = (environment: Environment): string =>
  `${environment.date} · Node ${environment.node} · ${environment.processor}, ${environment.cores} cores · ${environment.commit}${
    environment.isDirty ? ' with changes' : ''
  }\n`

/** Words to the left, everything from the third column on to the right. */
const table = (heads: readonly string[], lines: readonly (readonly string[])[]): string => {
  const widths = heads.map((head, at) => Math.max(head.length, ...lines.map((line) => line[at]!.length)))
  const print = (line: readonly string[]): string =>
    `${line.map((text, at) => (at < 2 ? text.padEnd(widths[at]!) : text.padStart(widths[at]!))).join('  ')}`.trimEnd()
  return `${[print(heads), widths.map((width) => '─'.repeat(width)).join('──'), ...lines.map(print)].join('\n')}\n`
}
