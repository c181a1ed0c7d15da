/** What somebody sees on stderr while a graph runs: a live view on a terminal, lines elsewhere. */
import type { Task } from '../../client/index.ts'
import { type Paint, paintFor } from '../output.ts'
import { durationText, isBad, stateOf } from '../show.ts'
import { cut, oneLine } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { LiveArea } from './live-area.ts'
import { outputLines, tail } from './task-output.ts'
import { type Ended, Tracker } from './tracker.ts'
import { view } from './view.ts'

const REDRAW_EVERY_MS = 100
/** Failures that are told with their output; of more the summary tells. */
const MOST_FAILURES = 20
/** Lines of a failure's stdout and of its stderr. */
const FAILURE_LINES = 10
/** Columns of an id in a line that says more. */
const MOST_NAME = 32
/** Without a terminal a task is told of by itself where it took so long. */
const WORTH_A_LINE_MS = 1000

export interface DisplayOptions {
  /** Tells what every task put out. */
  readonly isVerbose: boolean
}

export class Display {
  tracker = new Tracker(0)
  readonly #stderr: NodeJS.WriteStream
  readonly #paint: Paint
  readonly #isVerbose: boolean
  readonly #area: LiveArea | null
  #startedMs = 0
  #timer: NodeJS.Timeout | null = null
  #failures = 0

  constructor({ stderr, env }: Terminal, { isVerbose }: DisplayOptions) {
    this.#stderr = stderr
    this.#paint = paintFor(stderr, env)
    this.#isVerbose = isVerbose
    this.#area = stderr.isTTY && env['TERM'] !== 'dumb' ? new LiveArea(stderr) : null
  }

  /** Begins to show how far a graph of so many tasks is. */
  begin(total: number): void {
    this.tracker = new Tracker(total)
    this.#startedMs = performance.now()
    if (this.#area === null) return
    const area = this.#area
    area.draw(this.#view())
    this.#timer = setInterval(() => area.draw(this.#view()), REDRAW_EVERY_MS)
  }

  /** Whether anything is said of a task that ended so: else nobody need look it up. */
  wants({ how, ranMs }: Ended): boolean {
    if (this.#isVerbose) return how !== 'skipped'
    if (how === 'failed') return this.#failures < MOST_FAILURES
    return this.#area === null && how === 'success' && ranMs >= WORTH_A_LINE_MS
  }

  /** Tells of a task that is over. */
  ended(task: Task): void {
    const state = stateOf(task)
    const isFailed = state === 'failed'
    if (isFailed) this.#failures++
    const lines = [this.#endLine(task, state)]
    if (isFailed || this.#isVerbose)
      for (const [name, text] of outputLines(task)) {
        const shown = this.#isVerbose ? tail(text, Number.POSITIVE_INFINITY) : tail(text, FAILURE_LINES)
        if (name !== '') lines.push(this.#paint('dim', `  ${name}`))
        for (const line of shown) lines.push(`  ${this.#paint('dim', '│')} ${this.#fitting(line, 4)}`)
      }
    if (isFailed && this.#failures === MOST_FAILURES && !this.#isVerbose)
      lines.push(this.#paint('dim', 'Further failures are in the summary.'))
    this.note(lines.join('\n'))
  }

  /** Tells that an attempt failed and another follows. */
  retried(id: string, attempt: number, message: string): void {
    if (this.#area === null && !this.#isVerbose) return
    const line = `↻ ${cut(oneLine(id), MOST_NAME)}, attempt ${attempt} failed: ${oneLine(message)}`
    this.note(this.#paint('dim', this.#fitting(line, 0)))
  }

  /** Prints a line or more. */
  note(text: string): void {
    const lines = `${text}\n`
    if (this.#area === null) this.#stderr.write(lines)
    else this.#area.print(lines, this.#view())
  }

  /** Takes the live view away. May be called at any time, as the process exits too. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#area?.close()
  }

  #endLine(task: Task, state: string): string {
    const took = durationText(task.runtime?.duration_ms ?? 0)
    const attempts = task.runtime?.attempt ?? 1
    const tries = attempts > 1 ? ` in attempt ${attempts}` : ''
    const id = oneLine(task.id)
    if (state === 'success') return this.#paint('green', `✓ ${id}`) + this.#paint('dim', `  ${took}${tries}`)
    const style = isBad(task) && state === 'failed' ? 'red' : 'yellow'
    const error = task.error ? `: ${oneLine(task.error)}` : ''
    return this.#paint(style, `✗ ${id} ${state} after ${took}${tries}`) + error
  }

  #fitting(line: string, margin: number): string {
    return this.#area === null ? line : cut(line, (this.#stderr.columns || 80) - 1 - margin)
  }

  #view(): string[] {
    const { columns = 80, rows = 24 } = this.#stderr
    return view(this.tracker, this.#startedMs, performance.now(), { columns, rows }, this.#paint)
  }
}
