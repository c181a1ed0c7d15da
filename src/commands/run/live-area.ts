/**
 * The last lines of a terminal, drawn over and over in the same place; what is printed goes above them. Each change is one
 * write, so that nothing half drawn is seen, and only what changed is drawn.
 */
import stringWidth from 'string-width'

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'
/** Terminals that know these show what lies between all at once; others pass over them. */
const BEGIN_UPDATE = '\x1b[?2026h'
const END_UPDATE = '\x1b[?2026l'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

export class LiveArea {
  readonly #stream: NodeJS.WriteStream
  #lines: readonly string[] = []
  #isOpen = false

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  /** Draws these lines in the place of those before. */
  draw(lines: readonly string[]): void {
    if (this.#isOpen && lines.join('\n') === this.#lines.join('\n')) return
    this.#replace('', lines)
  }

  /** Prints whole lines above, and draws these. */
  print(text: string, lines: readonly string[]): void {
    if (this.#isOpen) this.#replace(text, lines)
    else this.#stream.write(text)
  }

  /** Takes the lines away, and gives the cursor back. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#stream.write(`${this.#toTop()}${CLEAR_BELOW}${SHOW_CURSOR}`)
    this.#lines = []
  }

  #replace(above: string, lines: readonly string[]): void {
    const begin = this.#isOpen ? '' : HIDE_CURSOR
    const top = `${this.#toTop()}${above === '' ? '' : CLEAR_BELOW}${above}`
    const drawn = lines.map((line) => `${line}${CLEAR_LINE}\n`).join('')
    this.#isOpen = true
    this.#lines = lines
    this.#stream.write(`${BEGIN_UPDATE}${begin}${top}${drawn}${CLEAR_BELOW}${END_UPDATE}`)
  }

  /** A terminal that was made narrower has broken lines into several. */
  #toTop(): string {
    const columns = this.#stream.columns || 80
    const rows = this.#lines.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / columns)),
      0,
    )
    return rows === 0 ? '' : `\x1b[${rows}A\r`
  }
}
