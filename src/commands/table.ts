/** Aligned columns that fit a terminal, whatever the texts in them are. */
import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import type { Paint } from './output.ts'

export interface Column<Row> {
  readonly name: string
  readonly text: (row: Row) => string
  readonly style?: (row: Row) => Parameters<Paint>[0] | null
  readonly isRight?: boolean
  /** Gives way down to so many columns where the line is too wide; others never do. */
  readonly least?: number
}

const GAP = '  '

/** Prints rows in columns as wide as a sample of them wants. */
export class Table<Row> {
  readonly #columns: readonly Column<Row>[]
  readonly #widths: readonly number[]
  readonly #paint: Paint

  /** @param sample rows that the widths are taken from */
  constructor(columns: readonly Column<Row>[], sample: readonly Row[], width: number, paint: Paint) {
    // Columns in which nothing is are left out.
    this.#columns = columns.filter(
      (column) => column.name !== '' || sample.some((row) => column.text(row) !== ''),
    )
    this.#paint = paint
    this.#widths = fit(
      this.#columns.map((column) => ({
        wanted: Math.max(
          stringWidth(column.name),
          ...sample.map((row) => stringWidth(oneLine(column.text(row)))),
        ),
        least: column.least,
      })),
      width,
    )
  }

  get header(): string {
    const cells = this.#columns.map(({ name, isRight }, at) => ({
      text: name,
      isRight,
      style: 'dim' as const,
      at,
    }))
    return this.#line(cells)
  }

  row(row: Row): string {
    const cells = this.#columns.map(({ text, style, isRight }, at) => ({
      text: oneLine(text(row)),
      isRight,
      style: style?.(row) ?? null,
      at,
    }))
    return this.#line(cells)
  }

  #line(cells: readonly Cell[]): string {
    let line = ''
    let owed = ''
    for (const { text, style, isRight, at } of cells) {
      const width = this.#widths[at]!
      const shown = cut(text, width)
      const blank = ' '.repeat(Math.max(0, width - stringWidth(shown)))
      const painted = style === null || shown === '' ? shown : this.#paint(style, shown)
      // Blanks wait for what comes after them: lines do not end in them.
      if (isRight) owed += blank
      if (painted !== '') {
        line += owed + painted
        owed = ''
      }
      owed += isRight ? GAP : blank + GAP
    }
    return `${line}\n`
  }
}

interface Cell {
  readonly text: string
  readonly style: Parameters<Paint>[0] | null
  readonly isRight: boolean | undefined
  readonly at: number
}

/** All rows with their header. */
export const tableOf = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  paint: Paint,
): string => {
  const table = new Table(columns, rows, width, paint)
  return table.header + rows.map((row) => table.row(row)).join('')
}

/** The widest of those that may give way gives way first. */
const fit = (
  columns: readonly { readonly wanted: number; readonly least: number | undefined }[],
  width: number,
): number[] => {
  const widths = columns.map(({ wanted }) => wanted)
  const gaps = GAP.length * (columns.length - 1)
  for (let over = widths.reduce((sum, each) => sum + each, gaps) - width; over > 0; over--) {
    let widest = -1
    for (const [at, { least }] of columns.entries()) {
      if (least === undefined || widths[at]! <= least) continue
      if (widest < 0 || widths[at]! > widths[widest]!) widest = at
    }
    if (widest < 0) break
    widths[widest]!--
  }
  return widths
}

const GRAPHEMES = new Intl.Segmenter()

/** `text` in at most so many columns; an ellipsis says that there was more. */
export const cut = (text: string, width: number): string => {
  if (text.length <= width && /^[\x20-\x7e]*$/.test(text)) return text
  if (stringWidth(text) <= width) return text
  let shown = ''
  let left = width - 1
  for (const { segment } of GRAPHEMES.segment(text)) {
    left -= stringWidth(segment)
    if (left < 0) break
    shown += segment
  }
  return `${shown.trimEnd()}…`
}

/** What a terminal would take for a command is taken out: ids and outputs are anybody's. Lines stay. */
export const harmless = (text: string): string =>
  stripVTControlCharacters(text).replace(/(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')

export const oneLine = (text: string): string => harmless(joined(text).replaceAll('\t', ' '))

const joined = (text: string): string => {
  const lines = text.split(/[\r\n]+/)
  if (lines.length === 1) return text
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
}

/** An id as a word of a command line. */
export const wordOf = (id: string): string =>
  /^[\w@%+=:,./-]+$/.test(id) ? id : `'${oneLine(id).replaceAll("'", "'\\''")}'`

/** A text, or one that is all in a style. */
type Field = string | readonly [style: Parameters<Paint>[0] | null, text: string] | undefined

/** Names before their values; what is undefined or empty is left out. */
export const fieldsOf = (fields: Readonly<Record<string, Field>>, paint: Paint, width: number): string => {
  const given = Object.entries(fields).flatMap(([name, field = '']) => {
    const [style, text] = typeof field === 'string' ? [null, field] : field
    return text === '' ? [] : [{ name, style, text }]
  })
  const names = Math.max(...given.map(({ name }) => name.length))
  const indent = `\n${' '.repeat(names)}${GAP}`
  return given
    .map(({ name, style, text }) => {
      const lines = wrap(text, Math.max(20, width - names - GAP.length))
      const painted = lines.map((line) => (style === null ? line : paint(style, line)))
      return `${paint('dim', name.padEnd(names))}${GAP}${painted.join(indent)}\n`
    })
    .join('')
}

/** Broken between words; within one that is longer than a line. */
const wrap = (text: string, width: number): string[] => {
  if (stringWidth(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (stringWidth(longer) <= width) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    const pieces = stringWidth(word) <= width ? [word] : piecesOf(word, width)
    lines.push(...pieces.slice(0, -1))
    line = pieces.at(-1)!
  }
  return [...lines, line]
}

const piecesOf = (word: string, width: number): string[] => {
  const pieces = ['']
  let left = width
  for (const { segment } of GRAPHEMES.segment(word)) {
    left -= stringWidth(segment)
    if (left < 0) {
      pieces.push('')
      left = width - stringWidth(segment)
    }
    pieces[pieces.length - 1] += segment
  }
  return pieces
}
